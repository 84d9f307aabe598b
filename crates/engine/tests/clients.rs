//! What drivers and tools send first must not fail.

mod common;

use common::check;

#[test]
fn freetds_and_pymssql() {
    check(
        "SET ARITHABORT ON;SET CONCAT_NULL_YIELDS_NULL ON;SET ANSI_NULLS ON;SET ANSI_NULL_DFLT_ON ON;\
         SET ANSI_PADDING ON;SET ANSI_WARNINGS ON;SET CURSOR_CLOSE_ON_COMMIT ON;SET QUOTED_IDENTIFIER ON;\
         SET TEXTSIZE 2147483647; use [msdb]",
        "",
    );
    check("SET ROWCOUNT 0", "");
}

#[test]
fn tedious() {
    check(
        "set ansi_nulls on\nset ansi_null_dflt_on on\nset ansi_padding on\nset ansi_warnings on\nset arithabort on\n\
         set concat_null_yields_null on\nset cursor_close_on_commit off\nset datefirst 7\nset dateformat mdy\n\
         set implicit_transactions off\nset language us_english\nset numeric_roundabort off\n\
         set quoted_identifier on\nset textsize 2147483647\nset transaction isolation level read committed",
        "",
    );
}

#[test]
fn jtds_impacket_and_tiberius() {
    check(
        "SELECT @@MAX_PRECISION\nSET TRANSACTION ISOLATION LEVEL READ COMMITTED\nSET IMPLICIT_TRANSACTIONS OFF\nSET QUOTED_IDENTIFIER ON\nSET TEXTSIZE 2147483647",
        "38",
    );
    check("SELECT SYSTEM_USER, CURRENT_USER", "sa|dbo");
    check("IF @@TRANCOUNT > 0 ROLLBACK", "");
    check("SELECT 1;", "1");
}

#[test]
fn sqlalchemy() {
    check(
        "SELECT CAST('test max support' AS NVARCHAR(max))",
        "test max support",
    );
    check("SELECT schema_name()", "dbo");
    check(
        "SELECT CAST(SERVERPROPERTY('ProductVersion') AS VARCHAR)",
        "16.0.1000.6",
    );
}

#[test]
fn sql_server_management_objects() {
    check(
        "SELECT SESSIONPROPERTY('ANSI_NULLS'), SESSIONPROPERTY('nope'), CONTEXT_INFO()",
        "1|NULL|NULL",
    );
    check(
        "DECLARE @edition sysname; SET @edition = cast(SERVERPROPERTY(N'EDITION') as sysname); SELECT case when @edition = N'SQL Azure' then 2 else 1 end as 'DatabaseEngineType', @@MICROSOFTVERSION AS MicrosoftVersion",
        "[DatabaseEngineType|MicrosoftVersion]; 1|268439591",
    );
    check(
        "EXEC('SELECT CAST(CONNECTIONPROPERTY(''net_transport'') AS sysname)')",
        "TCP",
    );
    check(
        "CREATE TABLE #tmp_sp_help (id uniqueidentifier null, name sysname null); INSERT INTO #tmp_sp_help EXEC msdb.dbo.sp_help_job; SELECT t.name AS [Name], ISNULL(c.name, N'') AS [Category] FROM #tmp_sp_help AS t INNER JOIN msdb.dbo.sysjobs AS sv ON t.id = sv.job_id LEFT OUTER JOIN msdb.dbo.syscategories AS c ON c.category_id = sv.category_id WHERE (sv.name=N'backup') ORDER BY [Name] ASC; DROP TABLE #tmp_sp_help",
        "(4); [Name|Category]; Backup|Maintenance",
    );
    check(
        "DECLARE @jobId BINARY(16); EXEC msdb.dbo.sp_add_job @job_name=N'a', @job_id = @jobId OUTPUT; SELECT @jobId",
        "0x0000000000000000000000000000004D",
    );
}

#[test]
fn monitoring_queries() {
    check(
        "SELECT 'Job' = j.name, CASE j.enabled WHEN 1 THEN 'Yes' ELSE 'No' END AS [Enabled],
                STUFF(STUFF(RIGHT('000000' + CAST(j.category_id * 1011 AS VARCHAR(6)), 6), 3, 0, ':'), 6, 0, ':') AS t
         FROM msdb.dbo.sysjobs j WITH (NOLOCK)
         WHERE j.name NOT LIKE '%z%' AND j.date_created >= DATEADD(dd, -5000, GETDATE())
         ORDER BY j.name OPTION (RECOMPILE)",
        "[Job|Enabled|t]; Backup|Yes|00:10:11; cleanup|No|00:10:11; Report|Yes|00:20:22",
    );
    check(
        "WITH ranked AS (SELECT name, category_id, ROW_NUMBER() OVER (PARTITION BY category_id ORDER BY name DESC) AS rn FROM sysjobs)
         SELECT r.name, c.name AS category FROM ranked r JOIN syscategories c ON c.category_id = r.category_id WHERE r.rn = 1 ORDER BY 1",
        "[name|category]; cleanup|Maintenance; Report|Reporting",
    );
    check(
        "SELECT CONVERT(varchar(4), DATEPART(yy, date_created)) + '/' + RIGHT('0' + CONVERT(varchar(2), DATEPART(mm, date_created)), 2) AS ym, COUNT(*) AS n FROM sysjobs GROUP BY CONVERT(varchar(4), DATEPART(yy, date_created)) + '/' + RIGHT('0' + CONVERT(varchar(2), DATEPART(mm, date_created)), 2)",
        "[ym|n]; 2023/03|4",
    );
    check(
        "IF NOT EXISTS (SELECT name FROM msdb.dbo.syscategories WHERE name=N'[Uncategorized (Local)]' AND category_id=1) BEGIN PRINT N'add' END",
        "> add",
    );
}
