"""``dmg pool get-acl``, ``overwrite-acl``, ``update-acl`` and ``delete-acl``: who may do what with a pool."""

from pathlib import Path
from typing import Any, Final

from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.pool.rehearsal import rehearsable
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.client.errors import InvalidRequest
from daos_control.client.pools import Acl
from daos_control.model.acl import acl_text, entry_lines

NO_ACL: Final = {"ACL": {"entries": None, "owner_user": "", "owner_group": ""}}


@command(failed=NO_ACL)
async def get_acl(session: Session, args: Values) -> Output:
    """Show a pool's access control list, or write it to a file."""
    acl = await session.daos.pools.get_acl(pool_id(args))
    text = acl_text(acl.entries, acl.owner_user, acl.owner_group, verbose=args.verbose)
    if args.outfile and not session.json:
        write_file(Path(args.outfile), text, force=args.force)
        text = f"Wrote ACL to output file: {args.outfile}\n"
    return Output(document=acl_document(acl), text=text)


@command("Pool-overwrite-ACL command failed", failed=NO_ACL, bare=True)
@rehearsable
async def overwrite_acl(session: Session, args: Values) -> Output:
    """Replace a pool's access control list."""
    acl = await session.daos.pools.overwrite_acl(pool_id(args), read_acl(args.acl_file))
    return changed_acl("overwrite", args.pool, acl)


@command("Pool-update-ACL command failed", failed=NO_ACL, bare=True)
@rehearsable
async def update_acl(session: Session, args: Values) -> Output:
    """Add or change entries of a pool's access control list."""
    if bool(args.acl_file) == bool(args.entry):
        raise InvalidRequest("give either --acl-file or --entry")
    entries = read_acl(args.acl_file) if args.acl_file else (args.entry,)
    return changed_acl("update", args.pool, await session.daos.pools.update_acl(pool_id(args), entries))


@command("Pool-delete-ACL command failed", failed=NO_ACL, bare=True)
@rehearsable
async def delete_acl(session: Session, args: Values) -> Output:
    """Remove an entry of a pool's access control list."""
    return changed_acl("delete", args.pool, await session.daos.pools.delete_acl(pool_id(args), args.principal))


def changed_acl(verb: str, pool: str, acl: Acl) -> Output:
    """Say that a list was changed, and show what it has become."""
    text = f"Pool-{verb}-ACL command succeeded, ID: {pool}\n{acl_text(acl.entries, acl.owner_user, acl.owner_group)}"
    return Output(document=acl_document(acl), text=text)


def acl_document(acl: Acl) -> dict[str, Any]:
    """Give an access control list the keys that DAOS gives it."""
    return {"ACL": document(acl)}


def read_acl(path: str) -> tuple[str, ...]:
    """Read the entries of a file: one a line, comments and blank lines left out."""
    try:
        entries = entry_lines(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"cannot read the ACL file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"cannot read the ACL file {path}: it is no text") from error
    if not entries:
        raise InvalidRequest(f"ACL file {path} contains no entries")
    return entries


def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write a file; one that is there is left alone without ``force``."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InvalidRequest(f"file already exists: {path} (overwrite it with --force)") from error
    except OSError as error:
        raise InvalidRequest(f"cannot write {path}: {error.strerror}") from error
