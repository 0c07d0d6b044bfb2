-- Who may do what in the application's database. For a new volume and for a restored database, which
-- gets a name of its own first; hence the variable.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO app;
GRANT CONNECT ON DATABASE :"database" TO exporter;
-- The application makes its own tables, by its migrations, and nothing else but that.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO app;
