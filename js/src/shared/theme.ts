// Light or dark: the theme of the host page (JupyterLab, VS Code, marimo and others), or of the system.

export type Theme = "light" | "dark";

export function pageTheme(): Theme {
  const { body, documentElement: root } = document;
  const lab = body.dataset["jpThemeLight"];
  if (lab !== undefined) return lab === "false" ? "dark" : "light";
  const named = `${body.className} ${root.className} ${body.dataset["theme"] ?? ""} ${root.dataset["theme"] ?? ""}`;
  if (/(^|[\s-])(dark|high-contrast)(\s|$)/.test(named)) return "dark";
  if (/(^|[\s-])light(\s|$)/.test(named)) return "light";
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Calls back when the page may have changed its theme; returns how to stop. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  const attributes = {
    attributes: true,
    attributeFilter: ["class", "data-jp-theme-light", "data-jp-theme-name", "data-theme"],
  };
  observer.observe(document.body, attributes);
  observer.observe(document.documentElement, attributes);
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    window.matchMedia(query),
  );
  for (const query of queries) query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", changed);
  };
}
