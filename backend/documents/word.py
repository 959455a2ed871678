"""Makes the Word file of a sheet.

Text is data: it goes into text nodes and nowhere else, there is no template, and what XML cannot hold is
taken out before (`backend.text.clean`). The same sheet always gives the same bytes: the file carries no time,
no author and nothing of the machine that made it.

`python-docx` is imported when the first form is made, so that the backend starts without it.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from backend.documents.forms import Form
from backend.documents.layout import COLUMNS, Cell, Row, Sheet, lay_out
from backend.text import clean

if TYPE_CHECKING:
    from docx.document import Document
    from docx.styles.style import ParagraphStyle
    from docx.table import _Cell, _Row

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_BODY_FONT: Final = "仿宋"
_HEAD_FONT: Final = "宋体"
_LATIN_FONT: Final = "Times New Roman"
_WIDTHS: Final = (3.1, 5.4, 2.4, 5.1)
"""Of the four columns in centimetres; 16 are free between the margins of an A4 page."""

_LINE: Final = 453
"""Points between the margins; a title is set small enough to stand in one line, within reason."""
_LEAST_TITLE, _MOST_TITLE = 12, 18

_SIGNING_INDENT: Final = 5.0
"""Centimetres left of what is signed, so that there is room for a hand on both sides."""

_TITLE, _LABEL, _VALUE, _FOOT = "QifuTitle", "QifuLabel", "QifuValue", "QifuFoot"
"""Styles; without blanks a name is also the id that a paragraph refers to."""
_UNNEEDED: Final = (
    "thumbnail",
    "customXml",
    "stylesWithEffects",
    "extended-properties",
    "webSettings",
    "numbering",
)
"""Parts of the library's empty document that a form does not need, by the ends of their relations' names."""

_KEPT_STYLES: Final = frozenset({"Normal", "Default Paragraph Font", "Normal Table", "No List"})

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def render(form: Form) -> bytes:
    """Make the Word file of a form; takes some 50 ms, so call it in a thread.

    Args:
        form: Any of the four.

    Returns:
        A .docx file; the same bytes for the same form.
    """
    return draw(lay_out(form))


def draw(sheet: Sheet) -> bytes:
    """Make the Word file of a sheet."""
    import docx

    document = docx.Document()
    _strip(document)
    _set_fonts(document)
    _set_page(document)
    lines = _lines(sheet.title)
    size = max(_LEAST_TITLE, min(_MOST_TITLE, _LINE // max(map(len, lines))))
    for line in lines:
        document.add_paragraph(style=_TITLE).add_run(line).font.size = docx.shared.Pt(size)
    _add_table(document, sheet)
    for line in _lines(sheet.note) if sheet.note else ():
        document.add_paragraph(line, style=_FOOT)
    _set_foot(document, sheet.foot)
    _set_properties(document, sheet)
    file = io.BytesIO()
    document.save(file)
    return _settled(file.getvalue())


def _lines(text: str) -> list[str]:
    return clean(text, lines=True).split("\n")


def _strip(document: Document) -> None:
    """Take out of the library's empty document what is not ours."""
    for owner in (document.part, document.part.package):
        unneeded = [key for key, rel in owner.rels.items() if rel.reltype.rsplit("/", 1)[-1] in _UNNEEDED]
        for key in unneeded:
            del owner.rels[key]
    for style in list(document.styles):
        if style.name not in _KEPT_STYLES:
            style.delete()


def _set_fonts(document: Document) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    fonts = document.styles.element.find(f".//{qn('w:docDefaults')}//{qn('w:rFonts')}")
    fonts.attrib.clear()
    for script in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{script}"), _LATIN_FONT)
    fonts.set(qn("w:eastAsia"), _BODY_FONT)
    language = document.styles.element.find(f".//{qn('w:docDefaults')}//{qn('w:lang')}")
    language.set(qn("w:val"), "zh-CN")
    language.set(qn("w:eastAsia"), "zh-CN")

    def style(name: str, font: str, size: float, *, bold: bool = False) -> ParagraphStyle:
        made: Any = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        made.base_style = document.styles["Normal"]
        made.font.name = _LATIN_FONT
        made.font.size = Pt(size)
        made.font.bold = bold
        made.element.rPr.rFonts.set(qn("w:eastAsia"), font)
        made.paragraph_format.space_before = made.paragraph_format.space_after = Pt(0)
        # without this, a grid line of the page would stretch the lines of small type
        snap = OxmlElement("w:snapToGrid")
        snap.set(qn("w:val"), "0")
        # the schema wants it before the spacing
        made.element.pPr.find(qn("w:spacing")).addprevious(snap)
        return made  # type: ignore[no-any-return]

    title = style(_TITLE, _HEAD_FONT, _MOST_TITLE, bold=True)
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_after = Pt(6)
    title.paragraph_format.keep_with_next = True
    label = style(_LABEL, _HEAD_FONT, 12)
    label.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    value = style(_VALUE, _BODY_FONT, 12)
    value.paragraph_format.line_spacing = Pt(19)
    value.paragraph_format.line_spacing_rule = WD_LINE_SPACING.AT_LEAST
    style(_FOOT, _BODY_FONT, 10.5)


def _set_page(document: Document) -> None:
    from docx.shared import Cm

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin, section.bottom_margin = Cm(2.4), Cm(2.2)
    section.footer_distance = Cm(1.2)


def _add_table(document: Document, sheet: Sheet) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm

    table = document.add_table(rows=len(sheet.rows), cols=COLUMNS)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "6"), ("space", "0"), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    properties: Any = table._tbl.tblPr
    # the schema wants the borders before the layout
    properties.find(qn("w:tblLayout")).addprevious(borders)
    for column, width in zip(table.columns, _WIDTHS, strict=True):
        column.width = Cm(width)
    for index, (place, row) in enumerate(zip(table.rows, sheet.rows, strict=True)):
        _fill_row(place, row, first=index == 0)


def _fill_row(place: _Row, row: Row, *, first: bool) -> None:
    from docx.enum.table import WD_ROW_HEIGHT_RULE
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    properties = place._tr.get_or_add_trPr()
    if not row.breaks:
        properties.append(OxmlElement("w:cantSplit"))
    place.height = Cm(row.height)
    place.height_rule = WD_ROW_HEIGHT_RULE.AT_LEAST
    if first:
        properties.append(OxmlElement("w:tblHeader"))
    cells = place.cells
    column = 0
    for cell in row.cells:
        found = cells[column]
        if cell.span > 1:
            found = found.merge(cells[column + cell.span - 1])
        found.width = Cm(sum(_WIDTHS[column : column + cell.span]))
        _fill_cell(found, cell)
        column += cell.span


def _fill_cell(place: _Cell, cell: Cell) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.shared import Cm, Pt

    style = _LABEL if cell.label else _VALUE
    for index, line in enumerate(_lines(cell.text)):
        paragraph = place.paragraphs[0] if index == 0 else place.add_paragraph()
        # by its id: a text may have thousands of lines, and looking a style up takes longer than the rest
        paragraph._p.style = style
        paragraph.add_run(line)
    for index, line in enumerate(cell.signing):
        paragraph = place.add_paragraph(line, style=style)
        paragraph.paragraph_format.left_indent = Cm(_SIGNING_INDENT)
        # signature, seal and date stay together, and have room above
        paragraph.paragraph_format.keep_with_next = index + 1 < len(cell.signing)
        paragraph.paragraph_format.space_before = Pt(18 if index == 0 else 6)
        paragraph.paragraph_format.space_after = Pt(4)
    alignment = WD_CELL_VERTICAL_ALIGNMENT
    place.vertical_alignment = alignment.BOTTOM if cell.signing and not cell.text else alignment.CENTER


def _set_foot(document: Document, foot: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.style = document.styles[_FOOT]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(f"{clean(foot)}　第 " if foot else "第 ")
    for field, after in (("PAGE", " 页，共 "), ("NUMPAGES", " 页")):
        simple = OxmlElement("w:fldSimple")
        simple.set(qn("w:instr"), field)
        number = OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = "1"
        number.append(text)
        simple.append(number)
        paragraph._p.append(simple)
        paragraph.add_run(after)


def _set_properties(document: Document, sheet: Sheet) -> None:
    properties = document.core_properties
    for child in list(properties._element):
        properties._element.remove(child)
    properties.title = "".join(_lines(sheet.title))
    properties.language = "zh-CN"


def _settled(file: bytes) -> bytes:
    """The same file without the times at which its parts were written."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(file)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            target.writestr(info, source.read(name))
    return made.getvalue()
