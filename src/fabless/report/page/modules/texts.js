// @ts-check
// Sentences by language: templates with `{name}` and the choice `{n|one text|many text}`.

/**
 * A template with its values put in; a name without a value is an error, never a gap.
 * @param {string} template
 * @param {{[name: string]: string | number}} values
 * @returns {string}
 */
export function filled(template, values) {
  return template.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g, (_, name, single, several) => {
    if (!(name in values)) throw new Error(`no value for {${name}} in: ${template}`);
    if (single === undefined) return String(values[name]);
    return String(values[name]) === "1" ? single : several;
  });
}
