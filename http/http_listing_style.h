/* http_listing_style: the style of a directory's page. */
#ifndef GYRE_HTTP_LISTING_STYLE_H
#define GYRE_HTTP_LISTING_STYLE_H

/* clang-format off */
/* What is between <style> and </style>, byte for byte: the hash below is of it. Palette and type
 * are those of the error pages. */
#define HTTP_LISTING_STYLE "\n" \
    ":root { color-scheme: light dark; --paper: #fbfaf7; --ink: #24262b; --soft: #666b73;\n" \
    "  --mark: #0b7285; --line: #e7e4dd; --wash: #f1efe9 }\n" \
    "@media (prefers-color-scheme: dark) {\n" \
    "  :root { --paper: #16181d; --ink: #e6e4df; --soft: #969ba5; --mark: #66d9e8;\n" \
    "    --line: #2a2e36; --wash: #1f2229 }\n" \
    "}\n" \
    "@media (prefers-contrast: more) {\n" \
    "  :root { --soft: var(--ink); --line: var(--ink) }\n" \
    "}\n" \
    "* { margin: 0; box-sizing: border-box }\n" \
    "body { min-height: 100vh; display: flex; flex-direction: column; max-width: 64rem;\n" \
    "  margin: auto; padding: clamp(1.25rem, 5vw, 3.5rem) clamp(.75rem, 4vw, 2rem) 1.5rem;\n" \
    "  background: var(--paper); color: var(--ink); text-size-adjust: 100%;\n" \
    "  font: 1rem/1.5 system-ui, -apple-system, \"Segoe UI\", sans-serif }\n" \
    "header { display: flex; flex-wrap: wrap; align-items: end; gap: .75rem 1.5rem;\n" \
    "  margin: 0 .5rem 2rem; padding-left: 1.25rem; border-left: .25rem solid var(--mark) }\n" \
    "header > div { flex: 1 1 16rem; min-width: 0 }\n" \
    "h1, nav, td a { overflow-wrap: anywhere }\n" \
    "h1 { font-size: clamp(1.5rem, 5vw, 2.1rem); line-height: 1.25; letter-spacing: -.01em }\n" \
    "a { color: inherit; text-decoration: none; border-radius: .25rem }\n" \
    "a:hover { color: var(--mark) }\n" \
    "a:focus-visible { outline: .1875rem solid var(--mark); outline-offset: -.1875rem }\n" \
    "nav { margin-left: -.375rem; color: var(--soft) }\n" \
    "nav a { display: inline-block; padding: .375rem }\n" \
    "nav a:hover, td a:hover bdi { text-decoration: underline; text-underline-offset: .2em }\n" \
    "p, footer { color: var(--soft) }\n" \
    ".button { padding: .5rem 1rem; border: 1px solid var(--soft); border-radius: .5rem }\n" \
    ".button:hover { border-color: var(--mark) }\n" \
    "table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }\n" \
    "th { padding: 0; text-align: left; font-size: .875rem; font-weight: 600;\n" \
    "  color: var(--soft); white-space: nowrap }\n" \
    "th a { display: flex; align-items: center; gap: .5rem; padding: .625rem .5rem }\n" \
    "th:nth-child(2) a { flex-direction: row-reverse }\n" \
    "[aria-sort] a { color: var(--ink) }\n" \
    "[aria-sort] a::after { content: \"\"; width: .5rem; height: .3125rem;\n" \
    "  background: var(--mark); clip-path: polygon(0 100%, 50% 0, 100% 100%) }\n" \
    "[aria-sort=descending] a::after { transform: scaleY(-1) }\n" \
    "tr { border-bottom: 1px solid var(--line) }\n" \
    "tbody tr:hover { background: var(--wash) }\n" \
    "td { padding: 0 .5rem; color: var(--soft); white-space: nowrap }\n" \
    "td:first-child { width: 100%; padding: 0; white-space: normal }\n" \
    "td:nth-child(2) { text-align: right; padding-left: 1.5rem }\n" \
    "th:nth-child(3) a, td:nth-child(3) { padding-left: 1.5rem }\n" \
    "td a { display: block; position: relative; padding: .5625rem .5rem .5625rem 2.25rem;\n" \
    "  color: var(--ink) }\n" \
    "td a::before { content: \"\"; position: absolute; left: .5rem; top: .875rem; width: 1rem;\n" \
    "  height: .875rem; background: var(--soft); opacity: .55;\n" \
    "  clip-path: polygon(14% 0, 62% 0, 86% 28%, 86% 100%, 14% 100%) }\n" \
    "td .d::before { background: var(--mark); opacity: 1;\n" \
    "  clip-path: polygon(0 4%, 38% 4%, 50% 20%, 100% 20%, 100% 96%, 0 96%) }\n" \
    "td .u::before { background: var(--mark); opacity: 1;\n" \
    "  clip-path: polygon(50% 6%, 92% 54%, 62% 54%, 62% 96%, 38% 96%, 38% 54%, 8% 54%) }\n" \
    "small { display: inline-block; margin-left: .625rem; padding: 0 .375rem;\n" \
    "  border: 1px solid var(--line); border-radius: .25rem; color: var(--soft);\n" \
    "  font-size: .75rem; white-space: nowrap }\n" \
    "main { flex: 1 }\n" \
    "main p { padding: 1rem .5rem }\n" \
    "footer { display: flex; justify-content: space-between; margin-top: 2rem;\n" \
    "  font-size: .875rem }\n" \
    "footer > * { padding: .5rem }\n" \
    "@media (max-width: 36rem) {\n" \
    "  table, thead, tbody { display: block }\n" \
    "  thead tr { display: flex }\n" \
    "  th:first-child { flex: 1 }\n" \
    "  th:nth-child(3) a { padding-left: .5rem }\n" \
    "  tbody tr { display: grid; grid-template-columns: 1fr auto; position: relative }\n" \
    "  td:first-child { grid-area: 1 / 1 / 2 / 3 }\n" \
    "  td:nth-child(2) { grid-area: 2 / 2 }\n" \
    "  td:nth-child(3) { grid-area: 2 / 1; padding-left: 2.25rem }\n" \
    "  td:nth-child(n + 2) { padding-bottom: .5rem; font-size: .875rem }\n" \
    "  td:not(:last-child) a { position: static; padding-bottom: .125rem }\n" \
    "  td:not(:last-child) a::after { content: \"\"; position: absolute; inset: 0 }\n" \
    "}\n"

/* SHA-256 in base64; the unit test of server/listing says what it must be. */
#define HTTP_LISTING_STYLE_HASH "ss7Hn3PgOvkuB8Qj+kvBRfjliNeHSnduEN8DslTmGNI="
/* clang-format on */

#endif
