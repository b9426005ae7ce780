import { render } from "preact"
import { Api } from "./api.ts"
import { App } from "./app.tsx"
import { Boundary } from "./boundary.tsx"
import { Failure } from "./notice.tsx"
import "./app.css"

// The server may be mounted anywhere; its paths are relative to the folder of the page.
const api = new Api(new URL(".", location.href))
render(
  <Boundary
    fallback={(error) => <Failure title="The page failed" error={error} onRetry={() => location.reload()} />}
  >
    <App api={api} />
  </Boundary>,
  document.body,
)
