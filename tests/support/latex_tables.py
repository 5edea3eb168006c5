"""What LaTeX would refuse in a table, without a LaTeX."""

from __future__ import annotations

import re


def check_tables(text: str) -> None:
    """Assert that braces, dollars and environments pair, rows are as wide as their table, and letters are escaped."""
    plain = re.sub(r"\\[\\{}$&%#_]", "", text)
    assert plain.count("{") == plain.count("}") and plain.count("$") % 2 == 0
    assert re.findall(r"\\begin\{(\w+)", text) == re.findall(r"\\end\{(\w+)", text) != []
    assert not re.findall(r"[_^#%~<>|]", re.sub(r"\$[^$]*\$", "", plain))
    known = {"begin", "end", "toprule", "midrule", "bottomrule", "multicolumn", "boldmath", "pm"}
    assert not set(re.findall(r"\\([A-Za-z]+)", text)) - known
    for table in text.split(r"\begin{tabular}")[1:]:
        columns = len(re.match(r"\{(\w+)\}", table)[1])
        rows = [row for row in re.sub(r"\\[&%_]", "", table).splitlines() if "&" in row]
        assert rows and {row.count("&") + 1 for row in rows} == {columns}
        assert all(row.endswith(r" \\") for row in rows)
        assert re.search(r"\\multicolumn\{(\d+)\}", table)[1] == str(columns)
