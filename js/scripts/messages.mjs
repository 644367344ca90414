// Writes the template of the catalogues: every sentence of panel and lab, as t`…`, sentences({…}) and plural(…) mark
// them. With --check it writes nothing, and fails where words for people are not marked.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parsers } from "prettier/plugins/typescript";

/** Attributes and properties that hold no words for people; plugins' descriptions are not translated by JupyterLab. */
const CODES = new Set(
  "class className command description d font hovermode href id key mode name onKeyDown rel role style type".split(
    " ",
  ),
);
/** Calls whose arguments are for programs, or for those who read a console. */
const PROGRAMS =
  /^(console\.\w+|Symbol\.for|matchMedia|import|.*\.(addEventListener|closest|execute|includes|matches|querySelector(All)?|replace(All)?|split|startsWith|test))$/;
const CODE =
  /^(?:%session attach \u0001 --service|%load_ext|%%session\n|application\/|text\/|\.|\(\w|<|(?:[\w\u0001]+-)+[\w\u0001]+( |$)|\u0001?qs|notify| qs-|[A-Z]\u0001|\/|#|\w+\(|\u0001(px|api|-)|budget\u0001)/;
/** Two words, or one with a capital letter. */
const WORDS = /[A-Za-z]{2,}[,:;.…?!]*[ \u0001]|[ \u0001(“][a-z]{2,}|^[A-Z][a-z]{2,}[….]?$/;
/** Keys of the keyboard, plans of IBM's, and what Python or a browser calls things. */
const NAMES = new Set("Enter Escape Error False Flex None Premium True".split(" "));
/** Figures and their units are the same in every language. */
const FIGURES = "src/shared/formatting.ts";

/** @typedef {{ one: string, many?: string, at: string }} Message */
const messages = /** @type {Message[]} */ ([]);
const strays = /** @type {string[]} */ ([]);

const isText = (node) =>
  (node.type === "Literal" && typeof node.value === "string") || node.type === "TemplateLiteral";
/** A literal's characters, with the character 1 for each value in between. */
const characters = (node) =>
  node.type === "TemplateLiteral"
    ? node.quasis.map(({ value }) => value.cooked).join("\u0001")
    : node.value;
const escaped = (words) => words.replaceAll("%", "%%");
const english = (template) =>
  template.quasis
    .map(({ value }) => escaped(value.cooked))
    .reduce((before, part, at) => `${before}%${at}${part}`);

function* literals(node) {
  if (isText(node)) yield characters(node);
  else if (node.type === "ConditionalExpression") {
    yield* literals(node.consequent);
    yield* literals(node.alternate);
  }
}

function read(file) {
  const text = readFileSync(file, "utf8");
  const line = (node) => `${file}:${text.slice(0, node.range[0]).split("\n").length}`;
  const source = (node) => text.slice(...node.range);

  const children = (node, parent, key) => {
    for (const [name, child] of Object.entries(node)) {
      if (["loc", "range", "parent", "tokens", "comments"].includes(name)) continue;
      for (const each of Array.isArray(child) ? child : [child]) {
        if (each?.type) visit(each, node, name);
      }
    }
  };

  const visit = (node, parent, key) => {
    if (/^(TS|Import|ExportAll)/.test(node.type) && !/^TS(As|NonNull|Satisfies)/.test(node.type))
      return;
    if (node.type === "TaggedTemplateExpression" && node.tag.name === "t") {
      messages.push({ one: english(node.quasi), at: line(node) });
      node.quasi.expressions.forEach((each) => visit(each, node, "expressions"));
      return;
    }
    if (node.type === "CallExpression" || node.type === "NewExpression") {
      const called = source(node.callee);
      if (called === "sentences") {
        for (const { value } of node.arguments[0].properties) {
          messages.push({ one: escaped(characters(value)), at: line(value) });
        }
        return;
      }
      if (called === "plural") {
        const [count, one, many] = node.arguments;
        for (const each of literals(one)) {
          const more = many ? characters(many) : `${each}s`;
          messages.push({ one: `%1 ${each}`, many: `%1 ${more}`, at: line(node) });
        }
        visit(count, node, "arguments");
        return;
      }
      if (PROGRAMS.test(called)) {
        visit(node.callee, node, "callee");
        node.arguments.filter((each) => !isText(each)).forEach((each) => visit(each, node, ""));
        return;
      }
    }
    if (node.type === "JSXAttribute" && CODES.has(node.name.name) && node.value?.type === "Literal")
      return;
    if (node.type === "Property" && CODES.has(node.key.name)) return;
    if (node.type === "BinaryExpression" && /^[!=]==$/.test(node.operator)) return;
    if (node.type === "JSXText" ? /[A-Za-z]{2}/.test(node.value) : isText(node)) {
      const found = node.type === "JSXText" ? node.value : characters(node);
      const isCode = node.type !== "JSXText" && (CODE.test(found) || NAMES.has(found));
      const compared =
        parent.type === "SwitchCase" || key === "key" || parent.type === "ExpressionStatement";
      if (!isCode && !compared && (node.type === "JSXText" || WORDS.test(found))) {
        strays.push(`${line(node)}: ${found.trim().replaceAll("\u0001", "…")}`);
      }
    }
    children(node);
  };
  const tree = parsers.typescript.parse(text, { filepath: file });
  visit(tree, tree, "");
}

function template() {
  const entries = new Map();
  for (const { one, many, at } of messages) {
    const known = entries.get(one) ?? { many: undefined, places: [] };
    entries.set(one, { many: known.many ?? many, places: [...known.places, at] });
  }
  const quoted = JSON.stringify;
  const head =
    'msgid ""\nmsgstr ""\n"Project-Id-Version: qsession_widgets\\n"\n"MIME-Version: 1.0\\n"\n' +
    '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n';
  const body = [...entries].map(([one, { many, places }]) =>
    [
      ...places.map((place) => `#: js/${place}`),
      `msgid ${quoted(one)}`,
      ...(many ? [`msgid_plural ${quoted(many)}`, 'msgstr[0] ""', 'msgstr[1] ""'] : ['msgstr ""']),
    ].join("\n"),
  );
  return [head, ...body].join("\n\n").replace("\n\n\n", "\n\n") + "\n";
}

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((name) => `src/${name.replaceAll("\\", "/")}`)
  .filter((name) => /\.tsx?$/.test(name) && !/\.(d|gen)\.ts$/.test(name) && name !== FIGURES)
  .sort();
files.forEach(read);
if (process.argv.includes("--check")) {
  for (const stray of strays)
    console.error(`${stray}\n  words for people go through t\`…\` of src/shared/translation.ts`);
  process.exitCode = strays.length ? 1 : 0;
} else {
  const [path] = process.argv.slice(2);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, template());
}
