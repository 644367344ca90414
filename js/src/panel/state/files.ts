// Files that the kernel makes of a session: its receipt, which is opened, and exports, which are saved.

/** The page may be slow to read what it is to open or save. */
const KEPT_MS = 60_000;

export function takeFile(name: string, { buffer, byteOffset, byteLength }: DataView): void {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
  const page = name.endsWith(".html");
  const url = URL.createObjectURL(new Blob([bytes], page ? { type: "text/html" } : {}));
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
  // a page that may open no other saves it
  if (page && window.open(url)) return;
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
