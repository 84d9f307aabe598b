"""A small database of the usual things, for what clients say of tables that people make."""

DATABASE = "client_shop"

BATCHES = [
    f"CREATE DATABASE {DATABASE}",
    "CREATE SCHEMA sales",
    "CREATE TYPE dbo.money_amount FROM decimal(12, 2) NOT NULL",
    """CREATE TABLE sales.customers (
           customer_id int NOT NULL,
           region char(2) NOT NULL,
           name nvarchar(80) NOT NULL,
           email varchar(200) NULL,
           CONSTRAINT pk_customers PRIMARY KEY (customer_id, region),
           CONSTRAINT uq_email UNIQUE (email))""",
    """CREATE TABLE sales.orders (
           order_id int IDENTITY(1, 1) NOT NULL,
           customer_id int NOT NULL,
           region char(2) NOT NULL,
           placed datetime2(3) NOT NULL CONSTRAINT df_placed DEFAULT SYSDATETIME(),
           amount decimal(12, 2) NOT NULL CONSTRAINT ck_amount CHECK (amount >= 0),
           remark nvarchar(max) NULL,
           CONSTRAINT pk_orders PRIMARY KEY (order_id),
           CONSTRAINT fk_customer FOREIGN KEY (customer_id, region) REFERENCES sales.customers (customer_id, region)
               ON DELETE CASCADE)""",
    "CREATE INDEX ix_placed ON sales.orders (placed DESC, amount)",
    "CREATE VIEW sales.open_orders AS SELECT order_id, customer_id, amount FROM sales.orders WHERE remark IS NULL",
    """CREATE PROCEDURE sales.place_order @customer_id int, @amount decimal(12, 2) = 1, @order_id int OUTPUT AS
       BEGIN
           INSERT INTO sales.orders (customer_id, region, amount) VALUES (@customer_id, 'DE', @amount)
           SET @order_id = SCOPE_IDENTITY()
       END""",
    "CREATE FUNCTION sales.with_tax (@amount decimal(12, 2)) RETURNS decimal(12, 2) AS BEGIN RETURN @amount * 1.19 END",
    "CREATE FUNCTION sales.orders_of (@customer_id int) RETURNS TABLE AS RETURN SELECT order_id FROM sales.orders WHERE customer_id = @customer_id",
    "CREATE TRIGGER sales.noted ON sales.orders AFTER INSERT AS SET NOCOUNT ON",
    "CREATE SYNONYM dbo.bestellungen FOR sales.orders",
    "INSERT INTO sales.customers VALUES (1, 'DE', N'Müller', 'm@example.com'), (2, 'FR', N'Dupont', NULL)",
    "INSERT INTO sales.orders (customer_id, region, amount) VALUES (1, 'DE', 12.50), (2, 'FR', 7)",
]


def create(plan):
    """Makes the database, once in an instance."""
    if plan.ask(f"SELECT DB_ID(N'{DATABASE}')") != [["NULL"]]:
        return
    create, *others = BATCHES
    script = plan.scratch / "shop.sql"
    script.write_text("\nGO\n".join([create, f"USE {DATABASE}", *others, ""]))
    plan.instance.muster_sql("-i", script)
