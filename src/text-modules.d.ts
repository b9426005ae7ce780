/** Files that are imported as text, so that `bun build --compile` embeds them. */
declare module "*/page/index.html" {
  const text: string
  export default text
}
declare module "*/page/app.css" {
  const text: string
  export default text
}
declare module "*/page/app.js" {
  const text: string
  export default text
}
