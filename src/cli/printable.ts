/** Text in which control characters, which data may hold, do nothing to a terminal. `kept` are passed through. */
export function printable(text: string, kept = ""): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    if (kept.includes(character)) return character
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}
