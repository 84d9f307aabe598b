//! Target server groups and their members.

use super::text::{Call, heading};
use super::{Kind, Script};
use crate::error::Result;
use crate::post::target_name;
use catalog::DefinitionsRead;

pub(super) fn scripts(definitions: &dyn DefinitionsRead) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for group in definitions.target_groups()? {
        let mut text = heading("TargetServerGroup", &group.name);
        let call = Call::new("sp_add_targetservergroup").text("@name", &group.name);
        text.push_str(&call.done());
        for member in definitions.target_group_members(Some(group.id))? {
            let call = Call::new("sp_add_targetsvrgrp_member")
                .text("@group_name", &group.name)
                .text("@server_name", &target_name(definitions, member.server)?);
            text.push_str(&call.done());
        }
        scripts.push(Script::new(Kind::TargetGroup, &group.name, text));
    }
    Ok(scripts)
}
