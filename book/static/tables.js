// Every table sorts by its columns, can be searched, and can be had as CSV. Columns after the first few are seen after a click.
// The library lies beside the page.

// A spreadsheet runs a cell of text that begins with one of these (the wide ones, too, in East Asian editions). An apostrophe
// before it makes it text. A number stays one, whatever its sign.
const FORMULA = /^\s*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const NUMBER = /^[+\-]?[0-9]+(\.[0-9]+)?([eE][+\-]?[0-9]+)?%?$/;
const csvCell = (text) => (FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text);
const csvText = (...given) => csvCell(given.at(-1).textContent.trim());     // of a heading or a cell, which comes last

(async () => {
  const { default: DataTable } = await window.tableLibrary;
  const page = document.title.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 6).join("-").toLowerCase();
  document.querySelectorAll("table.dataframe").forEach((table, number) => {
    // a dash is no number: it sorts as nothing, and <0.001 as 0.001, so that the others sort as numbers
    table.querySelectorAll("td").forEach((cell) => {
      const words = cell.textContent.trim();
      cell.dataset.order = words === "–" ? "" : words.replace(/^<(?=[0-9])/, "");
    });
    const many = table.tBodies[0].rows.length > 5;
    const first = Number(table.closest("[data-first]")?.dataset.first ?? 0), count = table.tHead.rows[0].cells.length;
    const rest = first && count > first + 1 ? [...Array(count).keys()].slice(first) : [];
    let hidden = true;
    const words = () => (hidden ? `all ${count} columns` : `first ${first} columns`);
    const more = { text: words(), action: (event, shown, button) => {
      hidden = !hidden;
      shown.columns(rest).visible(!hidden);
      button.text(words());
    } };
    const made = new DataTable(table, {
      paging: false, info: false, order: [], autoWidth: false,
      layout: {
        topStart: null, topEnd: many ? "search" : null, bottomEnd: null,
        bottomStart: { buttons: [...(rest.length ? [more] : []), { extend: "csvHtml5", text: "CSV", title: null, filename: `${page}-${number + 1}`,
                                   exportOptions: { format: { header: csvText, body: csvText } },
                                   attr: { "aria-label": "Download this table as CSV" } }] },
      },
    });
    made.columns(rest).visible(false);
    const box = made.table().container();     // it scrolls: a keyboard can move it, too
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Table ${number + 1}`);
  });
})();
