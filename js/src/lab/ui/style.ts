/** Puts a style sheet on the page, once. */
export function addStyle(name: string, css: string): void {
  const id = `qs-lab-style-${name}`;
  if (document.getElementById(id)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = css;
  document.head.append(style);
}
