//! Names of definitions without a schema, where the caller's default schema is not `dbo`.

use super::Interpreter;
use tsql::ast::{DropKind, Ident, ModuleVerb, ObjectName, StatementKind, TriggerTarget};
use tsql::eval::collate;

impl Interpreter<'_> {
    /// The statement with the names it defines in the caller's default schema; `None` when nothing changes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only definitions are named here; queries look their names up"
    )]
    pub(super) fn in_default_schema(&self, kind: &StatementKind) -> Option<StatementKind> {
        let defines = matches!(
            kind,
            StatementKind::CreateTable(_)
                | StatementKind::AlterTable(_)
                | StatementKind::CreateIndex(_)
                | StatementKind::AlterIndex(_)
                | StatementKind::DropIndex(_)
                | StatementKind::ToggleTrigger { .. }
                | StatementKind::CreateView(_)
                | StatementKind::CreateProcedure(_)
                | StatementKind::CreateFunction(_)
                | StatementKind::CreateTrigger(_)
                | StatementKind::CreateSynonym(_)
                | StatementKind::CreateType(_)
                | StatementKind::Drop(_)
        );
        let schema = self.core.shared.facts().schema.clone();
        if !defines || collate::same(&schema, "dbo") {
            return None;
        }
        let mut kind = kind.clone();
        let verb = |verb: ModuleVerb| verb == ModuleVerb::Create;
        let changed = match &mut kind {
            StatementKind::CreateTable(create) => self.qualify(&mut create.name, &schema, true),
            StatementKind::AlterTable(alter) => self.qualify(&mut alter.name, &schema, false),
            StatementKind::CreateIndex(create) => self.qualify(&mut create.table, &schema, false),
            StatementKind::AlterIndex(alter) => self.qualify(&mut alter.table, &schema, false),
            StatementKind::DropIndex(drop) => {
                let mut changed = false;
                for (_, table) in &mut drop.indexes {
                    changed |= self.qualify(table, &schema, false);
                }
                changed
            }
            StatementKind::CreateView(create) => {
                self.qualify(&mut create.name, &schema, verb(create.verb))
            }
            StatementKind::CreateProcedure(create) => {
                self.qualify(&mut create.name, &schema, verb(create.verb))
            }
            StatementKind::CreateFunction(create) => {
                self.qualify(&mut create.name, &schema, verb(create.verb))
            }
            StatementKind::CreateTrigger(create) => {
                let new = verb(create.verb);
                let watched = match &mut create.target {
                    TriggerTarget::Table(table) => self.qualify(table, &schema, false),
                    _ => false,
                };
                watched && self.qualify(&mut create.name, &schema, new)
            }
            StatementKind::CreateSynonym(create) => self.qualify(&mut create.name, &schema, true),
            StatementKind::CreateType(create) => self.qualify(&mut create.name, &schema, true),
            StatementKind::ToggleTrigger {
                target: Some(table),
                ..
            } => self.qualify(table, &schema, false),
            StatementKind::Drop(drop) => {
                let named = !matches!(drop.kind, DropKind::Database | DropKind::Schema);
                let mut changed = false;
                for name in drop.names.iter_mut().filter(|_| named) {
                    changed |= self.qualify(name, &schema, false);
                }
                changed
            }
            _ => false,
        };
        changed.then_some(kind)
    }

    /// Puts a name into a schema: a new one always, another where there is an object or type of that name.
    fn qualify(&self, name: &mut ObjectName, schema: &str, new: bool) -> bool {
        if name.schema.is_some() || name.is_temporary() {
            return false;
        }
        let there = || {
            let target = self.target_of_name(name).ok()?;
            let objects = self.core.shared.permanent.objects(target.id).ok()?;
            let bare = &name.name.text;
            let known =
                objects.find(schema, bare).is_some() || objects.type_named(schema, bare).is_some();
            known.then_some(())
        };
        if !new && there().is_none() {
            return false;
        }
        name.schema = Some(Ident {
            text: schema.to_owned(),
            quoted: true,
            span: name.span,
        });
        true
    }
}
