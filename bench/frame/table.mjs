/** Tables of text: the first column and those of words to the left, numbers to the right. */

const NUMBER = /^[<~]?[\d.,]+( |$|×|%)/

/** Lines of a table, with a line below the titles. */
export function tableText(titles, rows) {
  const cells = [titles, ...rows.map((row) => row.map(String))]
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const isNumeric = titles.map(
    (_, column) => column > 0 && rows.every((row) => NUMBER.test(String(row[column])) || row[column] === "–"),
  )
  const line = (row) =>
    row
      .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join("  ")
      .trimEnd()
  return [line(cells[0]), widths.map((width) => "─".repeat(width)).join("  "), ...cells.slice(1).map(line)].join("\n")
}
