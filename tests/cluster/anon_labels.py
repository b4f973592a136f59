"""Security labels of PostgreSQL Anonymizer, written where its extension would have the server put them."""


def set_label(db, column, label, provider="anon"):
    """Labels a column, as `schema.table.column`, or a table, as `schema.table`."""
    parts = column.split(".")
    table = ".".join(parts[:2])
    name = parts[2] if len(parts) == 3 else None
    db.execute(
        "INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label)"
        " SELECT %s::regclass, 'pg_class'::regclass, coalesce((SELECT attnum FROM pg_attribute"
        "    WHERE attrelid = %s::regclass AND attname = %s), 0), %s, %s",
        [table, table, name, provider, label],
    )


# On the sample of the first page.
SHOP = {
    "prod.users.email": "MASKED WITH FUNCTION anon.pseudo_email(email)",
    "prod.users.phone": "MASKED WITH FUNCTION anon.partial(phone, 2, $$******$$, 2)",
    "prod.users.note": "MASKED WITH VALUE NULL",
    "prod.users": "TABLESAMPLE BERNOULLI(10)",
    "prod.orders.user_email": "MASKED WITH FUNCTION anon.pseudo_email(user_email)",
    "prod.orders.total": "NOT MASKED",
}


def label_shop(db):
    """The sample of the first page with labels."""
    for column, label in SHOP.items():
        set_label(db, column, label)
