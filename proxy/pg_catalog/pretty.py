"""The "pretty" form of stored expressions: fewer parentheses (ruleutils.c with PRETTYFLAG_PAREN).

Stored texts have a pair around every operator. The pretty form keeps a pair only where an operator stands in another one
that binds as tight or tighter. Works on the text: what is outside of parentheses and strings decides.
"""

import re

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]|[^()'\"]+", re.DOTALL)
_AND_OR = re.compile(r"\b(AND|OR)\b")
_BETWEEN_CASE = re.compile(r"\b(BETWEEN|CASE)\b")
_SIMPLE = re.compile(r"[\w$.\"]+|'(?:[^']|'')*'")
_CALL_BEFORE = re.compile(r"[\w\"]\s*$")
_NOT_A_CALL = re.compile(r"\b(AND|OR|NOT|IN|ANY|ALL|SOME|THEN|ELSE|WHEN|CASE|IS|LIKE|BETWEEN|AS|FROM)\s*$", re.IGNORECASE)


def pretty(text: str) -> str:
    """The text with parentheses only where they are needed."""
    stripped = _strip(text)
    return _inner(stripped)


def _strip(text: str) -> str:
    """Without a pair that encloses everything."""
    while text.startswith("(") and _matching(text, 0) == len(text) - 1:
        text = text[1:-1]
    return text


def _matching(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth -= 1
            if depth == 0:
                return token.start()
    return -1


def _inner(text: str) -> str:
    """Drop pairs around the operands of AND, OR and NOT, and around constants and columns before a cast."""
    outside = _outside(text)
    logical = bool(_AND_OR.search(outside)) and not _BETWEEN_CASE.search(outside)
    is_or = bool(re.search(r"\bOR\b", outside))
    parts, place = [], 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        assert token is not None
        if token[0] != "(":
            parts.append(token[0])
            place = token.end()
            continue
        end = _matching(text, place)
        content = text[place + 1 : end]
        before, after = "".join(parts), text[end + 1 :]
        keep = not _droppable(content, before, after, logical=logical, is_or=is_or)
        inner = _inner(content)
        parts.append(f"({inner})" if keep else inner)
        place = end + 1
    return "".join(parts)


def _outside(text: str) -> str:
    depth, kept = 0, []
    for token in _TOKEN.finditer(text):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth -= 1
        elif depth == 0 and token[0][0] not in "'\"":
            kept.append(token[0])
    return " ".join(kept)


def _droppable(content: str, before: str, after: str, *, logical: bool, is_or: bool) -> bool:
    if _CALL_BEFORE.search(before) and not _NOT_A_CALL.search(before):
        return False  # arguments
    if after.startswith("::"):
        return bool(_SIMPLE.fullmatch(content)) or bool(re.fullmatch(r"\w+\(.*\)", content, re.DOTALL))
    if logical and (not before.strip() or re.search(r"\b(AND|OR)\s*$", before)):
        own = _outside(content)
        return not re.search(r"\bOR\b", own) or is_or
    return False
