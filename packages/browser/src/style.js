// The looks: the page's font and the system's colours, light or dark as the page is. A page gives its own by `::part()`. Nothing moves.

/** Inside the element. */
export const STYLE = `
* { box-sizing: border-box; }
dialog, div > * { border: 1px solid; background: Canvas; color: CanvasText; }
dialog {
  visibility: visible;
  width: 30rem;
  padding: 1.75rem;
  border-radius: 1rem;
}
::backdrop { background: #0008; }
.over::backdrop { background: Canvas; }
h1 { margin-top: 0; font-size: 1.4rem; }
.unseen { position: absolute; clip-path: inset(50%); }
div { display: flex; flex-wrap: wrap; gap: .75rem; }
div > * {
  padding: .6rem 1.2rem;
  border-radius: .75rem;
  font: inherit;
  font-weight: 600;
  text-decoration: none;
}
div > :first-child { background: CanvasText; color: Canvas; }
:focus-visible { outline: 3px solid CanvasText; outline-offset: 2px; }
`;

/** On the page while it is not known whether its session still lives. */
export const VEIL = "html * { visibility: hidden !important; }";
