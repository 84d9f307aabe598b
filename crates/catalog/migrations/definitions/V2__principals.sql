-- Database users without a login and roles that users made stand beside the users: all have one space of names and
-- numbers. kind: 0 user of a login, 1 user without one, 2 role. database_key '' holds the server's roles.
ALTER TABLE database_users ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE database_users ADD COLUMN default_schema TEXT;
ALTER TABLE database_users ADD COLUMN owner TEXT NOT NULL DEFAULT 'dbo';
ALTER TABLE database_users ADD COLUMN modified INTEGER NOT NULL DEFAULT 0;
UPDATE database_users SET modified = created;

-- Permissions on all kinds of securables, each with who gave it. class is that of sys.database_permissions;
-- database_key '' holds the server's. state: 0 denied, 1 granted, 2 granted with the right to grant it.
CREATE TABLE permissions (
    database TEXT NOT NULL,
    database_key TEXT NOT NULL,
    class INTEGER NOT NULL,
    schema TEXT NOT NULL,
    schema_key TEXT NOT NULL,
    object TEXT NOT NULL,
    object_key TEXT NOT NULL,
    field TEXT NOT NULL,
    field_key TEXT NOT NULL,
    grantee TEXT NOT NULL,
    grantee_key TEXT NOT NULL,
    permission TEXT NOT NULL,
    grantor TEXT NOT NULL,
    grantor_key TEXT NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (database_key, class, schema_key, object_key, field_key, grantee_key, permission, grantor_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX permissions_by_grantee ON permissions (database_key, grantee_key);

INSERT INTO permissions
SELECT database, database_key, 1,
    substr(object, 1, instr(object, '.') - 1), substr(object_key, 1, instr(object_key, '.') - 1),
    substr(object, instr(object, '.') + 1), substr(object_key, instr(object_key, '.') + 1),
    '', '', grantee, grantee_key, upper(permission), 'dbo', 'dbo', 1 - denied
FROM grants;
DROP TABLE grants;
