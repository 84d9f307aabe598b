// The tasks of external.py for go-mssqldb as Debian packages it.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	mssql "github.com/denisenkom/go-mssqldb"
)

type plan struct {
	Only       string
	Host       string
	Port       int
	User       string
	Password   string
	Authority  string
	Scripts    [][]string
	Tables     []string
	Errors     [][]interface{}
	LongSQL    string `json:"long_sql"`
	RunningSQL string `json:"running_sql"`
	Megabyte   string
	ReadSQL    string `json:"read_sql"`
	ReadBytes  int    `json:"read_bytes"`
	Job        string
}

// Opens a connection. Encrypted ones are left to the end of the program: under later versions of Go the driver panics
// when it closes them.
func (p *plan) open(encrypt string) (*sql.DB, error) {
	query := url.Values{"database": {"msdb"}, "encrypt": {encrypt}}
	if encrypt == "true" {
		query.Set("certificate", p.Authority)
	} else {
		query.Set("TrustServerCertificate", "true")
	}
	address := url.URL{
		Scheme:   "sqlserver",
		User:     url.UserPassword(p.User, p.Password),
		Host:     fmt.Sprintf("%s:%d", p.Host, p.Port),
		RawQuery: query.Encode(),
	}
	db, err := sql.Open("sqlserver", address.String())
	if err != nil {
		return nil, err
	}
	// One connection, so that what runs on it is known.
	db.SetMaxOpenConns(1)
	return db, db.Ping()
}

func drain(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		for rows.Next() {
		}
		if !rows.NextResultSet() {
			return rows.Err()
		}
	}
}

func encryption(p *plan) (string, error) {
	var words []string
	for _, mode := range [][3]string{{"none", "disable", "FALSE"}, {"login", "false", "FALSE"}, {"all", "true", "TRUE"}} {
		db, err := p.open(mode[1])
		if err != nil {
			return "", fmt.Errorf("%s: %w", mode[0], err)
		}
		var found string
		row := db.QueryRow("SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID")
		if err := row.Scan(&found); err != nil {
			return "", err
		}
		if found != mode[2] {
			return "", fmt.Errorf("%s: %s", mode[0], found)
		}
		words = append(words, mode[0])
	}
	return strings.Join(words, ", "), nil
}

func scripts(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	for _, script := range p.Scripts {
		for _, batch := range script {
			if err := drain(db.Query(batch)); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

func tables(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	for _, table := range p.Tables {
		if err := drain(db.Query("SELECT * FROM msdb.dbo." + table)); err != nil {
			return "", err
		}
	}
	return fmt.Sprint(len(p.Tables)), nil
}

// The driver of this age has no output parameters.
func output(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var id string
	row := db.QueryRow(`SET NOCOUNT ON
		DECLARE @id uniqueidentifier
		EXEC msdb.dbo.sp_add_job @job_name = @p1, @job_id = @id OUTPUT
		SELECT CAST(@id AS char(36))`, p.Job)
	err = row.Scan(&id)
	return id, err
}

func failures(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	for _, expected := range p.Errors {
		text := expected[0].(string)
		err := drain(db.Query(text))
		var found mssql.Error
		if !errors.As(err, &found) {
			return "", fmt.Errorf("%s: %v", text, err)
		}
		if found.Number != int32(expected[1].(float64)) || !strings.Contains(found.Message, expected[2].(string)) {
			return "", fmt.Errorf("%s: %d %s", text, found.Number, found.Message)
		}
	}
	return "", nil
}

func cancel(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	other, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer other.Close()
	limited, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(limited, p.LongSQL)
		ended <- err
	}()
	for running := 0; running < 2; {
		if err := other.QueryRow(p.RunningSQL).Scan(&running); err != nil {
			return "", err
		}
	}
	stop()
	if err := <-ended; err == nil {
		return "", errors.New("the statement came to its end")
	}
	var one int
	if err := db.QueryRow("SELECT 1").Scan(&one); err != nil {
		return "", err
	}
	return "", nil
}

func send(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var found string
	if err := db.QueryRow("SELECT @p1", p.Megabyte).Scan(&found); err != nil {
		return "", err
	}
	if found != p.Megabyte {
		return "", fmt.Errorf("%d bytes came back changed", len(found))
	}
	return "", nil
}

func read(p *plan) (string, error) {
	db, err := p.open("disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var found string
	if err := db.QueryRow(p.ReadSQL).Scan(&found); err != nil {
		return "", err
	}
	if len(found) != p.ReadBytes {
		return "", fmt.Errorf("%d bytes", len(found))
	}
	return "", nil
}

func main() {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		panic(err)
	}
	out := json.NewEncoder(os.Stdout)
	if p.Only != "" {
		return
	}
	for _, task := range []struct {
		name string
		run  func(*plan) (string, error)
	}{
		{"encryption", encryption}, {"scripts", scripts}, {"tables", tables}, {"output", output},
		{"errors", failures}, {"cancel", cancel}, {"send", send}, {"read", read},
	} {
		cell, err := task.run(&p)
		if err != nil {
			out.Encode(map[string]string{"task": task.name, "failed": err.Error()})
		} else {
			out.Encode(map[string]string{"task": task.name, "cell": cell})
		}
	}
}
