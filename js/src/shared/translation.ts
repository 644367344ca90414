// Words for people in the reader's language. JupyterLab's translator has the catalogue, and the lab extension puts it on
// the page, where panels find it too. Everywhere else, and where no catalogue is installed, words are English.

/** The part of JupyterLab's `TranslationBundle` that is used: `%1` stands for the first argument, or for the count. */
export interface Catalogue {
  gettext(english: string, ...args: string[]): string;
  ngettext(one: string, many: string, count: number): string;
}

/** The name of the catalogue, in every language. */
export const DOMAIN = "qsession_widgets";

/** The name under which the catalogue is on the page. */
export const CATALOGUE = Symbol.for("qsession-widgets.catalogue.1");
const page = globalThis as { [CATALOGUE]?: Catalogue };

export function offerCatalogue(catalogue: Catalogue): void {
  page[CATALOGUE] = catalogue;
}

/** Words as they stand in catalogues, where a percent sign of their own is written twice. */
const escaped = (words: string) => words.replaceAll("%", "%%");

/** Words in the reader's language: t`closes in ${time}` stands in catalogues as `closes in %1`. */
export function t(parts: TemplateStringsArray, ...values: unknown[]): string {
  const catalogue = page[CATALOGUE];
  if (!catalogue) return String.raw({ raw: parts }, ...values);
  const english = parts.map(escaped).reduce((before, part, at) => `${before}%${at}${part}`);
  return catalogue.gettext(english, ...values.map(String));
}

/** A table of words, each translated when it is read: a catalogue is there only after this module was loaded. */
export function sentences<T extends Record<string, string>>(english: T): T {
  return new Proxy(english, {
    get: (table, name: string) => {
      const words = table[name];
      return words === undefined ? words : (page[CATALOGUE]?.gettext(escaped(words)) ?? words);
    },
  });
}

/** A number with what is counted: `%1 job` and `%1 jobs` in catalogues, and as many forms as the language has. */
export function plural(count: number, one: string, many = `${one}s`): string {
  const words = page[CATALOGUE]?.ngettext(`%1 ${one}`, `%1 ${many}`, count);
  return words ?? `${count} ${count === 1 ? one : many}`;
}
