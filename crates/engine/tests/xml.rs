//! FOR XML, the xml type and its methods, through the engine.

mod common;

use common::{Fixture, check, value};

/// A table of four rows: two groups, a NULL, and what XML writes in another form.
const ROWS: &str = "DECLARE @t TABLE (g int, n nvarchar(20), d datetime); \
     INSERT @t VALUES (1, N'a & b', '20240102 03:04:05.120'), (1, N'<c>', NULL), (2, NULL, NULL), (2, N'é', '20240102'); ";

#[track_caller]
fn rows(sql: &str, expected: &str) {
    check(&format!("{ROWS}{sql}"), &format!("(4); {expected}"));
}

/// The one number of an error.
#[track_caller]
fn fails(sql: &str, number: i32) {
    let (lines, _) = Fixture::new().run(sql);
    let hit = lines
        .iter()
        .any(|line| line.starts_with(&format!("Msg {number}:")));
    assert!(hit, "{sql}: {lines:?}");
}

/// The first text of an error.
#[track_caller]
fn message(sql: &str, expected: &str) {
    let sql = format!("BEGIN TRY {sql} END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH");
    let (lines, _) = Fixture::new().run(&sql);
    assert_eq!(lines.last().map(String::as_str), Some(expected), "{sql}");
}

#[test]
fn the_list_of_names() {
    check(
        "SELECT STUFF((SELECT ', ' + name FROM sysjobs ORDER BY name FOR XML PATH(''), TYPE)\
         .value('.', 'nvarchar(max)'), 1, 2, '') AS names",
        "[names]; Backup, cleanup, Report, Z's last",
    );
    check(
        "SELECT c.name, STUFF((SELECT ',' + j.name FROM sysjobs j WHERE j.category_id = c.category_id \
         ORDER BY j.name DESC FOR XML PATH('')), 1, 1, '') AS jobs FROM syscategories c ORDER BY c.name",
        "[name|jobs]; Maintenance|cleanup,Backup; Reporting|Report; Unused|NULL",
    );
    rows(
        "SELECT x.list FROM (SELECT DISTINCT g FROM @t) AS o CROSS APPLY \
         (SELECT n + ';' FROM @t AS i WHERE i.g = o.g FOR XML PATH('')) AS x (list) ORDER BY o.g",
        "[list]; a &amp; b;&lt;c&gt;;; é;",
    );
    check(
        "DECLARE @s nvarchar(max); SELECT @s = (SELECT name + CHAR(13) + CHAR(10) FROM sysjobs \
         WHERE name = 'Backup' FOR XML PATH(''), TYPE).value('(./text())[1]', 'nvarchar(max)'); \
         SELECT LEN(@s), @s",
        "8|Backup\r\n",
    );
    value(
        "STUFF((SELECT ',' + name FROM sysjobs WHERE 1 = 0 FOR XML PATH('')), 1, 1, '')",
        "NULL",
    );
}

#[test]
fn for_xml_path() {
    let column = "[XML_F52E2B61-18A1-11d1-B105-00805F49916B]; ";
    let path = |sql: &str, expected: &str| rows(sql, &format!("{column}{expected}"));
    path(
        "SELECT g, n FROM @t ORDER BY g, n FOR XML PATH",
        "<row><g>1</g><n>&lt;c&gt;</n></row><row><g>1</g><n>a &amp; b</n></row><row><g>2</g></row>\
         <row><g>2</g><n>é</n></row>",
    );
    rows(
        "SELECT g AS [@g], n AS [x/y] FROM @t WHERE 1 = 0 FOR XML PATH('r')",
        column.trim_end_matches("; "),
    );
    rows("SELECT g FROM @t WHERE 1 = 0 FOR XML PATH, TYPE", "NULL");
    path(
        "SELECT TOP 1 g AS [@g], n AS [x/@n], 'v' AS [x/y], 'w' AS [x/z], 5 AS [u] FROM @t FOR XML PATH('r'), ROOT('all')",
        "<all><r g=\"1\"><x n=\"a &amp; b\"><y>v</y><z>w</z></x><u>5</u></r></all>",
    );
    // One name side by side is one element; a column between tells them apart.
    path(
        "SELECT 1 AS a, 2 AS a, NULL AS b, 3 AS a FOR XML PATH",
        "<row><a>12</a><a>3</a></row>",
    );
    path(
        "SELECT 'x' + n + 'y' AS [text()] FROM @t WHERE n IS NOT NULL ORDER BY n FOR XML PATH('')",
        "x&lt;c&gt;yxa &amp; byxéy",
    );
    path(
        "SELECT g AS [data()] FROM @t ORDER BY g FOR XML PATH('')",
        "1 1 2 2",
    );
    path(
        "SELECT TOP 1 d, CAST(1 AS bit) AS b, CAST(0x0102FF AS varbinary(3)) AS bin, CAST(1.5 AS float) AS f, \
         CAST(12.5 AS money) AS m, CAST('20240506' AS date) AS day FROM @t ORDER BY d DESC FOR XML PATH('r')",
        "<r><d>2024-01-02T03:04:05.120</d><b>1</b><bin>AQL/</bin><f>1.500000000000000e+000</f><m>12.5000</m>\
         <day>2024-05-06</day></r>",
    );
    path(
        "SELECT g, n FROM @t WHERE n IS NULL FOR XML PATH('r'), ELEMENTS XSINIL",
        "<r xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><g>2</g><n xsi:nil=\"true\"/></r>",
    );
    path(
        "SELECT 'q?' AS [processing-instruction(query)], 'said' AS [comment()] FOR XML PATH('')",
        "<?query q??><!--said-->",
    );
    path(
        "SELECT 1 AS [Job name], 2 AS [3rd] FOR XML PATH('r')",
        "<r><Job_x0020_name>1</Job_x0020_name><_x0033_rd>2</_x0033_rd></r>",
    );
    check(
        "WITH XMLNAMESPACES ('urn:x' AS p) SELECT 1 AS [p:a] FOR XML PATH('p:r')",
        &format!("{column}<p:r xmlns:p=\"urn:x\"><p:a>1</p:a></p:r>"),
    );
    // xml inside xml is not escaped.
    path(
        "SELECT 1 AS a, (SELECT g AS [@v] FROM @t ORDER BY g FOR XML PATH('i'), TYPE) AS [all] FOR XML PATH('r')",
        "<r><a>1</a><all><i v=\"1\"/><i v=\"1\"/><i v=\"2\"/><i v=\"2\"/></all></r>",
    );
    // A group of rows, ordered within.
    check(
        "SELECT COUNT(*) AS n, CAST((SELECT name AS [@n] FROM sysjobs ORDER BY name FOR XML PATH('j'), TYPE) \
         AS nvarchar(max)) AS x FROM sysjobs",
        "[n|x]; 4|<j n=\"Backup\"/><j n=\"cleanup\"/><j n=\"Report\"/><j n=\"Z's last\"/>",
    );
}

#[test]
fn for_xml_raw_and_auto() {
    let column = "[XML_F52E2B61-18A1-11d1-B105-00805F49916B]; ";
    rows(
        "SELECT g, n FROM @t ORDER BY g, n FOR XML RAW",
        &format!(
            "{column}<row g=\"1\" n=\"&lt;c&gt;\"/><row g=\"1\" n=\"a &amp; b\"/><row g=\"2\"/><row g=\"2\" n=\"é\"/>"
        ),
    );
    rows(
        "SELECT g, n FROM @t WHERE g = 2 ORDER BY n FOR XML RAW('i'), ELEMENTS, ROOT",
        &format!("{column}<root><i><g>2</g></i><i><g>2</g><n>é</n></i></root>"),
    );
    check(
        "SELECT category.name, job.name AS job FROM syscategories AS category JOIN sysjobs AS job \
         ON job.category_id = category.category_id ORDER BY category.name, job.name FOR XML AUTO",
        &format!(
            "{column}<category name=\"Maintenance\"><job job=\"Backup\"/><job job=\"cleanup\"/></category>\
             <category name=\"Reporting\"><job job=\"Report\"/></category>"
        ),
    );
    fails("SELECT 1 FOR XML RAW", 6809);
    fails("SELECT 1 AS a, 2 AS a FOR XML RAW", 6810);
    fails("DECLARE @v int SELECT @v = 1 FOR XML PATH", 6819);
    fails("SELECT 1 AS a, 2 AS [@b] FOR XML PATH", 6852);
    fails("SELECT 1 AS [@b] FOR XML PATH('')", 6864);
    fails("SELECT 1 AS [a//b] FOR XML PATH", 6850);
    fails("SELECT 1 AS a FOR XML EXPLICIT", 40517);
    fails("SELECT CHAR(1) AS a FOR XML PATH, TYPE", 6841);
    check(
        "SELECT CHAR(1) AS a FOR XML PATH",
        &format!("{column}<row><a>&#x01;</a></row>"),
    );
}

#[test]
fn reading_xml() {
    value(
        "CAST('<?xml version=\"1.0\"?> <a x=''1''>  <b></b><!-- c --><![CDATA[<&]]></a>text<d/>' AS xml)",
        "<a x=\"1\"><b/><!-- c -->&lt;&amp;</a>text<d/>",
    );
    value("CAST('' AS xml)", "");
    value("CONVERT(nvarchar(50), CONVERT(xml, N'<a> </a>'))", "<a/>");
    value("TRY_CAST('<a>' AS xml)", "NULL");
    value("CAST(0x3C612F3E AS xml)", "<a/>");
    value(
        "CONVERT(varchar(60), CAST(N'<p:a xmlns:p=\"u\" p:b=\"1\"/>' AS xml))",
        "<p:a xmlns:p=\"u\" p:b=\"1\"/>",
    );
    for (text, expected) in [
        (
            "<a><b></a>",
            "XML parsing: line 1, character 7, end tag does not match start tag",
        ),
        (
            "<a>",
            "XML parsing: line 1, character 4, unexpected end of input",
        ),
        (
            "</a>",
            "XML parsing: line 1, character 1, end tag does not match start tag",
        ),
        (
            "<a b=1/>",
            "XML parsing: line 1, character 6, A string literal was expected",
        ),
        (
            "<a b=\"1\" b=\"2\"/>",
            "XML parsing: line 1, character 10, duplicate attribute",
        ),
        (
            "\n<a>&x;</a>",
            "XML parsing: line 2, character 4, well formed check: undeclared entity",
        ),
        (
            "<p:a/>",
            "XML parsing: line 1, character 2, undeclared prefix",
        ),
    ] {
        message(&format!("SELECT CAST('{text}' AS xml)"), expected);
    }
    fails("SELECT CAST('<a><b></a>' AS xml)", 9436);
    fails("SELECT CAST('<!DOCTYPE a []><a/>' AS xml)", 6359);
    fails(
        "SELECT CAST('<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>' AS xml)",
        9402,
    );
    fails(
        "SELECT CAST(N'<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>' AS xml)",
        9402,
    );
    value(
        "CAST(N'<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>' AS xml)",
        "<a/>",
    );
    let deep = format!("{}{}", "<a>".repeat(129), "</a>".repeat(129));
    fails(&format!("SELECT CAST('{deep}' AS xml)"), 6335);
    let deep = format!("{}{}", "<a>".repeat(128), "</a>".repeat(128));
    value(
        &format!("LEN(CAST(CAST('{deep}' AS xml) AS varchar(max)))"),
        "893",
    );
    fails("DECLARE @x xml = '<a/>' IF @x = '<a/>' PRINT 'equal'", 305);
}

/// A document as deadlock graphs and configurations are: attributes, repetition, namespaces.
const DOCUMENT: &str = "DECLARE @x xml = N'<jobs n=\"2\"><job id=\"1\" on=\"true\"><name>A</name><step no=\"1\">x</step>\
     <step no=\"2\">y</step></job><job id=\"2\"><name>B &amp; C</name></job></jobs>'; ";

#[track_caller]
fn asked(expression: &str, expected: &str) {
    check(&format!("{DOCUMENT}SELECT {expression}"), expected);
}

#[test]
fn value_query_exist() {
    asked("@x.value('(/jobs/job/name)[1]', 'varchar(10)')", "A");
    asked(
        "@x.value('(/jobs/job[@id=\"2\"]/name/text())[1]', 'nvarchar(10)')",
        "B & C",
    );
    asked("@x.value('(/jobs/@n)[1]', 'int') + 1", "3");
    asked("@x.value('/jobs[1]/@n', 'int')", "2");
    asked("@x.value('(//step)[2]', 'varchar(5)')", "y");
    asked("@x.value('(//step)[last()]/@no', 'int')", "2");
    asked("@x.value('count(/jobs/job)', 'int')", "2");
    asked("@x.value('sum(//step/@no)', 'int')", "3");
    asked("@x.value('local-name((/jobs/*)[1])', 'varchar(9)')", "job");
    asked(
        "@x.value('(/*[local-name()=\"jobs\"]/job[name=\"A\"]/step[@no>1])[1]', 'varchar(9)')",
        "y",
    );
    asked("@x.value('(/none)[1]', 'int')", "NULL");
    asked("@x.value('(/jobs/job/@on)[1]', 'bit')", "1");
    asked("@x.value('.', 'varchar(20)')", "AxyB & C");
    asked(
        "@x.value('concat(\"<\", string((//name)[1]), \">\")', 'varchar(9)')",
        "<A>",
    );
    asked(
        "@x.value('substring((//name)[2], 3, 1)', 'varchar(9)')",
        "&",
    );
    asked(
        "@x.query('/jobs/job[2]')",
        "<job id=\"2\"><name>B &amp; C</name></job>",
    );
    asked("@x.query('//name/text()')", "AB &amp; C");
    asked("@x.query('data(//step/@no)')", "1 2");
    asked("@x.query('//step').value('(/step)[2]', 'varchar(2)')", "y");
    asked("@x.exist('/jobs/job[@id=2]')", "1");
    asked("@x.exist('/jobs/job[contains(name[1], \"Z\")]')", "0");
    asked("@x.exist('//step[@no=\"1\" or @no=\"9\"][not(@off)]')", "1");
    asked("CASE WHEN @x.exist('//step[2]') = 1 THEN 'yes' END", "yes");
    check(
        &format!(
            "{DOCUMENT}DECLARE @id int = 2; SELECT @x.value('(/jobs/job[@id=sql:variable(\"@id\")]/name)[1]', 'varchar(9)')"
        ),
        "B & C",
    );
    check(
        "WITH XMLNAMESPACES ('u' AS p) SELECT CAST('<a xmlns=\"u\"><b>1</b></a>' AS xml).value('(/p:a/p:b)[1]', 'int')",
        "1",
    );
    value(
        "CAST('<a xmlns=\"u\"><b>1</b></a>' AS xml).value('declare default element namespace \"u\"; (/a/b)[1]', 'int')",
        "1",
    );
    value(
        "CAST('<a xmlns=\"u\" xmlns:q=\"v\"><b q:c=\"1\"/></a>' AS xml).query('/*/*')",
        "<b xmlns=\"u\" xmlns:q=\"v\" q:c=\"1\"/>",
    );
    value(
        "CAST(N'' AS xml).value('xs:base64Binary(sql:column(\"c.b\"))', 'varchar(20)') FROM (SELECT 0x0102FF AS b) AS c",
        "AQL/",
    );
    value(
        "CAST(N'' AS xml).value('xs:base64Binary(\"AQL/\")', 'varbinary(9)')",
        "0x0102FF",
    );
    value(
        "CAST(N'' AS xml).value('xs:hexBinary(\"0aff\")', 'varbinary(9)')",
        "0x0AFF",
    );
}

#[test]
fn methods_that_are_refused() {
    let x = "CAST('<a/>' AS xml)";
    fails(&format!("SELECT {x}.value('/a', 'int')"), 2389);
    fails(&format!("SELECT {x}.value('//a[1]', 'int')"), 2389);
    fails(&format!("SELECT {x}.value('(/a', 'int')"), 2205);
    fails(&format!("SELECT {x}.value('(/p:a)[1]', 'int')"), 2229);
    fails(
        "DECLARE @p varchar(9) = '/a' SELECT CAST('<a/>' AS xml).query(@p)",
        8172,
    );
    fails("DECLARE @v varchar(9) = '' SELECT @v.query('/a')", 258);
    fails(&format!("SELECT {x}.value('(/a)[1]', 'nothing')"), 2715);
    for (query, feature) in [
        (
            "for $i in /a return $i",
            "XQuery FLWOR expression in query()",
        ),
        ("<b/>", "XQuery element constructor in query()"),
        ("if (1=1) then 1 else 2", "XQuery if expression in query()"),
        (
            "/a/following-sibling::b",
            "XQuery axis following-sibling in query()",
        ),
        (
            "starts-with(\"a\", \"b\")",
            "XQuery function starts-with() in query()",
        ),
    ] {
        let (lines, _) = Fixture::new().run(&format!(
            "BEGIN TRY EXEC('SELECT {}') END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH",
            format!("{x}.query('{query}')").replace('\'', "''")
        ));
        assert!(
            lines.iter().any(|line| line.contains(feature)),
            "{query}: {lines:?}"
        );
    }
    let nested = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    fails(&format!("SELECT {x}.query('{nested}')"), 8623);
    fails(&format!("SELECT {x}.modify('delete /a')"), 8137);
}

#[test]
fn nodes() {
    check(
        &format!(
            "{DOCUMENT}SELECT j.c.value('@id', 'int') AS id, j.c.value('(name)[1]', 'varchar(9)') AS name, \
             j.c.value('../@n', 'int') AS n, j.c.value('count(step)', 'int') AS steps \
             FROM @x.nodes('/jobs/job') AS j (c) ORDER BY id DESC"
        ),
        "[id|name|n|steps]; 2|B & C|2|0; 1|A|2|2",
    );
    check(
        &format!(
            "{DOCUMENT}SELECT j.c.value('@id', 'int'), s.c.value('@no', 'int'), s.c.value('.', 'varchar(2)') \
             FROM @x.nodes('/jobs/job') AS j (c) OUTER APPLY j.c.nodes('step') AS s (c) ORDER BY 1, 2"
        ),
        "1|1|x; 1|2|y; 2|NULL|NULL",
    );
    check(
        "SELECT t.id, n.c.query('.') FROM (SELECT 1 AS id, CAST('<a/><a>2</a>' AS xml) AS x UNION ALL SELECT 2, NULL) AS t \
         CROSS APPLY t.x.nodes('/a') AS n (c)",
        "[id|]; 1|<a/>; 1|<a>2</a>",
    );
    check(
        &format!(
            "{DOCUMENT}SELECT COUNT(*) FROM @x.nodes('//step') AS s (c) WHERE s.c.exist('.[@no=\"2\"]') = 1 AND s.c IS NOT NULL"
        ),
        "1",
    );
    check(
        &format!(
            "{DOCUMENT}SELECT (SELECT MAX(s.c.value('@no', 'int')) FROM j.c.nodes('step') AS s (c)) \
             FROM @x.nodes('/jobs/job') AS j (c)"
        ),
        "2; NULL",
    );
    // Splitting a list the old way.
    check(
        "DECLARE @list varchar(50) = 'a,b,,c'; SELECT LTRIM(n.c.value('.', 'varchar(9)')) FROM \
         (SELECT CAST('<i>' + REPLACE(@list, ',', '</i><i>') + '</i>' AS xml) AS x) AS s CROSS APPLY s.x.nodes('i') AS n (c)",
        "a; b; ; c",
    );
    fails(
        &format!("{DOCUMENT}SELECT j.c FROM @x.nodes('/jobs') AS j (c)"),
        493,
    );
    fails(
        &format!("{DOCUMENT}SELECT * FROM @x.nodes('/jobs') AS j (c)"),
        493,
    );
}

#[test]
fn xml_in_tables_and_variables() {
    check(
        "CREATE TABLE #t (id int, x xml); INSERT #t VALUES (1, '<a b=\"1\"/>'), (2, NULL); \
         SELECT id, x.value('(/a/@b)[1]', 'int'), x FROM #t ORDER BY id; \
         SELECT COUNT(*) FROM #t WHERE x.exist('/a') = 1; \
         INSERT #t VALUES (3, '<a>')",
        "(2); [id||x]; 1|1|<a b=\"1\"/>; 2|NULL|NULL; 1; Msg 9400:1",
    );
    check(
        "DECLARE @x xml = '<a><b>1</b></a>'; \
         SET @x.modify('insert <c d=\"2\"/> into (/a)[1]'); \
         SET @x.modify('insert attribute e {\"3\"} into (/a/b)[1]'); \
         SET @x.modify('insert <first/> as first into (/a)[1]'); \
         DECLARE @v int = 7; \
         SET @x.modify('replace value of (/a/b/text())[1] with sql:variable(\"@v\")'); \
         SET @x.modify('replace value of (/a/c/@d)[1] with \"9\"'); \
         SET @x.modify('insert text {\"t\"} after (/a/c)[1]'); SELECT @x; \
         SET @x.modify('delete /a/c, /a/first'); SELECT @x; \
         DECLARE @y xml = '<n/>'; SET @x.modify('insert sql:variable(\"@y\") before (/a/b)[1]'); SELECT @x",
        "<a><first/><b e=\"3\">7</b><c d=\"9\"/>t</a>; <a><b e=\"3\">7</b>t</a>; <a><n/><b e=\"3\">7</b>t</a>",
    );
    fails("DECLARE @x xml SET @x.modify('delete /a')", 5302);
    fails(
        "DECLARE @x xml = '<a/><a/>' SET @x.modify('insert <b/> into /a')",
        2226,
    );
}
