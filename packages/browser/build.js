// Makes the one file that pages include. `node build.js --check` only says whether the one that is there is up to date.

import { readFile, writeFile } from "node:fs/promises";
import { build, transform } from "esbuild";

export const FILE = new URL("dist/tenure-session-timeout.min.js", import.meta.url);

const minifiedStyle = {
  name: "minified style",
  setup({ onLoad }) {
    onLoad({ filter: /style\.js$/ }, async ({ path }) => {
      const styles = await import(path);
      const minify = async ([name, text]) => {
        const { code } = await transform(text, { loader: "css", minify: true });
        return `export const ${name} = ${JSON.stringify(code.trim())};`;
      };
      return { contents: (await Promise.all(Object.entries(styles).map(minify))).join("\n") };
    });
  },
};

export async function built() {
  const { outputFiles } = await build({
    entryPoints: [new URL("src/session-timeout.js", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    charset: "utf8",
    legalComments: "none",
    banner: { js: "/*! MIT OR Apache-2.0 */" },
    plugins: [minifiedStyle],
    write: false,
  });
  return outputFiles[0].text;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = await built();
  if (process.argv.includes("--check")) {
    if ((await readFile(FILE, "utf8")) !== text) {
      console.error("dist is out of date: run `npm run build`");
      process.exitCode = 1;
    }
  } else {
    await writeFile(FILE, text);
  }
  console.log(`${Buffer.byteLength(text)} bytes`);
}
