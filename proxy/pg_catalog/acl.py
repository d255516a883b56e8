"""Access control lists: aclitem texts, what an owner has by default, who may do what (acl.c).

An aclitem is kept as PostgreSQL prints it, `grantee=privileges/grantor`, where * after a letter is the grant option.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PRIVILEGES = {
    "INSERT": "a",
    "SELECT": "r",
    "UPDATE": "w",
    "DELETE": "d",
    "TRUNCATE": "D",
    "REFERENCES": "x",
    "TRIGGER": "t",
    "EXECUTE": "X",
    "USAGE": "U",
    "CREATE": "C",
    "TEMPORARY": "T",
    "TEMP": "T",
    "CONNECT": "c",
    "SET": "s",
    "ALTER SYSTEM": "A",
    "MAINTAIN": "m",
}
LETTERS = {letter: name for name, letter in PRIVILEGES.items() if name != "TEMP"}
_ORDER = "arwdDxtXUCTcsAm"  # ACL_ALL_RIGHTS_STR, parsenodes.h

# What there is to grant on a kind of object, and what everybody has from the start (acldefault).
ALL = {
    "r": "arwdDxtm",
    "s": "rwU",
    "d": "CTc",
    "f": "X",
    "l": "U",
    "n": "UC",
    "T": "U",
    "c": "arwx",
    "t": "C",
    "S": "U",
    "F": "U",
}
PUBLIC_DEFAULT = {"d": "Tc", "f": "X", "l": "U", "T": "U"}


@dataclass(frozen=True, slots=True)
class AclItem:
    """One entry: `grantee` is a role's name, empty for PUBLIC; `grantable` are the letters with grant option."""

    grantee: str
    letters: str
    grantable: str
    grantor: str

    def text(self) -> str:
        """As PostgreSQL prints it."""
        rights = "".join(each + ("*" if each in self.grantable else "") for each in _ORDER if each in self.letters)
        return f"{_quoted(self.grantee)}={rights}/{_quoted(self.grantor)}"


def parse(text: str) -> AclItem:
    """An aclitem from its text."""
    grantee, end = _name(text, 0)
    rights, _, grantor = text[end + 1 :].partition("/")
    grantable = "".join(letter for letter, star in zip(rights, rights[1:] + " ", strict=True) if star == "*")
    return AclItem(grantee, rights.replace("*", ""), grantable, _name(grantor, 0)[0])


def _quoted(name: str) -> str:
    """A role's name, in quotes unless it is of letters, digits and underscores (putid)."""
    plain = all(each == "_" or (each.isascii() and each.isalnum()) for each in name)
    return name if plain else '"' + name.replace('"', '""') + '"'


def _name(text: str, place: int) -> tuple[str, int]:
    """The name that begins there, and where it ends (getid)."""
    name = ""
    quoted = False
    while place < len(text) and (quoted or text[place].isalnum() or text[place] in '_"'):
        if text[place] != '"':
            name += text[place]
        elif quoted and text[place + 1 : place + 2] == '"':
            name += '"'
            place += 1
        else:
            quoted = not quoted
        place += 1
    return name, place


def default(kind: str, owner: str) -> list[AclItem]:
    """What holds where no list is kept: the owner has everything, PUBLIC what the kind gives it."""
    items = []
    if kind in PUBLIC_DEFAULT:
        items.append(AclItem("", PUBLIC_DEFAULT[kind], "", owner))
    items.append(AclItem(owner, ALL[kind], "", owner))
    return items


def grant(items: Iterable[AclItem], grantee: str, letters: str, grantor: str, *, option: bool) -> list[AclItem]:
    """The list with more rights for a grantee."""
    found = list(items)
    for place, item in enumerate(found):
        if (item.grantee, item.grantor) == (grantee, grantor):
            grantable = item.grantable + (letters if option else "")
            found[place] = AclItem(grantee, item.letters + letters, grantable, grantor)
            return found
    return [*found, AclItem(grantee, letters, letters if option else "", grantor)]


def merge(items: Iterable[AclItem], added: AclItem) -> list[AclItem]:
    """The list with the rights of another item."""
    found = grant(items, added.grantee, added.letters, added.grantor, option=False)
    return grant(found, added.grantee, added.grantable, added.grantor, option=True) if added.grantable else found


def revoke(items: Iterable[AclItem], grantee: str, letters: str, *, option_only: bool) -> list[AclItem]:
    """The list with fewer rights for a grantee."""
    found = []
    for item in items:
        if item.grantee != grantee:
            found.append(item)
            continue
        grantable = "".join(each for each in item.grantable if each not in letters)
        kept = item.letters if option_only else "".join(each for each in item.letters if each not in letters)
        if kept:
            found.append(AclItem(item.grantee, kept, grantable, item.grantor))
    return found


def allows(items: Iterable[AclItem], roles: Iterable[str], letter: str) -> bool:
    """Whether one of the roles, or PUBLIC, has the right."""
    grantees = {"", *roles}
    return any(item.grantee in grantees and letter in item.letters for item in items)
