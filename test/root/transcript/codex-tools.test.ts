import { describe, expect, test } from "bun:test"
import type { JsonObject } from "../../../src/record/extract.ts"
import { call, event, item, meta, output, partsOf, said, sessionsOf, told } from "./codex-transcripts.ts"

describe("tools", () => {
  const only = (...lines: JsonObject[]): JsonObject => {
    const part = partsOf(sessionsOf([meta(), said("go"), ...lines, said("end")])[0]).find(
      ({ type }) => type === "tool",
    )
    return part ?? {}
  }

  test("are one part, however many lines, with what the event of their end tells", () => {
    const end = {
      item: {
        type: "CommandExecution",
        id: "a",
        status: "failed",
        exit_code: 2,
        cwd: "file:///home/dev",
        aggregated_output: "raw",
      },
      started_at_ms: 1000,
      completed_at_ms: 1500,
    }
    const lines = [call("a"), event("item_completed", end), output("a", "seen")]
    expect(only(...lines)).toMatchObject({
      tool: "shell",
      callID: "a",
      state: {
        status: "error",
        input: { cmd: "a" },
        output: "seen",
        error: "Exited with code 2",
        time: { start: 1000, end: 1500 },
        metadata: { exit: 2, cwd: "/home/dev" },
      },
    })
  })

  test("may have the event before the call, and a call without an output may have that of the event", () => {
    const end = event("exec_command_end", { call_id: "a", exit_code: 0, aggregated_output: "raw" })
    expect(only(end, call("a"))).toMatchObject({
      state: { status: "completed", output: "raw", metadata: { exit: 0 } },
    })
  })

  test("of servers are named by both, with the server's errors", () => {
    const named = call("m", { name: "search", namespace: "mcp__docs__" })
    const invocation = { server: "docs", tool: "search" }
    const fine = event("mcp_tool_call_end", {
      call_id: "m",
      invocation,
      result: { Ok: { content: [{ type: "text", text: "x" }] } },
    })
    expect(only(named, fine, output("m", "x"))).toMatchObject({
      tool: "mcp__docs__search",
      state: { status: "completed", output: "x", metadata: { server: "docs" } },
    })
    const broken = event("mcp_tool_call_end", { call_id: "m", invocation, result: { Err: "no server" } })
    expect(only(named, broken, output("m", "failed"))).toMatchObject({
      state: { status: "error", error: "no server" },
    })
    const said = event("mcp_tool_call_end", {
      call_id: "m",
      invocation,
      result: { Ok: { content: [], isError: true } },
    })
    const item = { type: "McpToolCall", id: "m", status: "declined" }
    expect(only(named, event("item_completed", { item }), output("m", "no"))).toMatchObject({
      state: { error: "declined" },
    })
    const snake = event("mcp_tool_call_end", {
      call_id: "m",
      invocation,
      result: { Ok: { content: [], is_error: true } },
    })
    expect(only(named, snake, output("m", "it failed"))).toMatchObject({ state: { status: "error" } })
    expect(only(named, output("m", { content: "it failed", success: false }))).toMatchObject({
      state: { error: "it failed" },
    })
    expect(only(named, said, output("m", "it failed"))).toMatchObject({
      state: { status: "error", error: "it failed" },
    })
  })

  test("that patch files tell which", () => {
    const patch = item("custom_tool_call", { name: "apply_patch", input: "*** Begin Patch", call_id: "p" })
    const end = event("patch_apply_end", {
      call_id: "p",
      success: true,
      changes: { "/home/dev/a.ts": { type: "add" } },
    })
    const given = item("custom_tool_call_output", {
      call_id: "p",
      output: '{"output":"Success","metadata":{"exit_code":0,"duration_seconds":0.25}}',
    })
    expect(only(patch, end, given)).toMatchObject({
      tool: "apply_patch",
      state: {
        input: "*** Begin Patch",
        output: "Success",
        metadata: { exit: 0, duration: 250, files: ["/home/dev/a.ts"] },
      },
    })
  })

  test("of the model's side need no output", () => {
    const search = item("web_search_call", {
      id: "ws",
      status: "completed",
      action: { type: "search", query: "bun" },
    })
    expect(only(search)).toMatchObject({
      tool: "web_search",
      callID: "ws",
      state: { status: "completed", input: { query: "bun" } },
    })
    const image = item("image_generation_call", {
      id: "ig",
      status: "completed",
      revised_prompt: "a cat",
      result: "iVBORw0KGgo=",
    })
    expect(only(image)).toMatchObject({
      tool: "image_generation",
      state: {
        input: { prompt: "a cat" },
        attachments: [{ type: "file", url: "data:image/png;base64,iVBORw0KGgo=" }],
      },
    })
    expect(only(item("web_search_call", { status: "failed" }))).toMatchObject({ state: { status: "error" } })
    const found = item("tool_search_output", { call_id: "t", tools: [{ name: "docs" }] })
    expect(
      only(item("tool_search_call", { call_id: "t", arguments: { query: "docs" } }), found),
    ).toMatchObject({
      tool: "tool_search",
      state: { input: { query: "docs" }, output: '[{"name":"docs"}]' },
    })
    const shell = item("local_shell_call", { id: "l", action: { type: "exec", command: ["ls"] } })
    expect(only(shell, output("l"))).toMatchObject({
      tool: "local_shell",
      state: { input: { command: ["ls"] }, output: "out of l" },
    })
  })

  test("give pictures, and pieces of text", () => {
    const pieces = [
      { type: "input_text", text: "a" },
      { type: "input_image", image_url: "data:image/jpeg;base64,/9j/4A==" },
      { type: "encrypted_content", encrypted_content: "hidden" },
    ]
    const part = only(call("v"), output("v", pieces))
    expect(part).toMatchObject({
      state: { output: "a", attachments: [{ type: "file", mime: "image/jpeg" }] },
    })
    expect(JSON.stringify(part)).not.toContain("hidden")
  })

  test("without a result were aborted, unless it is the last thing done", () => {
    const last = partsOf(sessionsOf([meta(), said("go"), call("a")])[0]).at(-1)
    expect(last).toMatchObject({ state: { status: "running" } })
    expect(only(call("a"))).toMatchObject({ state: { status: "error", error: "Tool execution aborted" } })
    expect(only(call("a"), output("a", "aborted by user after 3.0s"))).toMatchObject({
      state: { status: "error" },
    })
  })

  test("whose calls were lost are still shown; a call of the same id later has its own output", () => {
    expect(only(output("lost"))).toMatchObject({
      tool: "unknown",
      callID: "lost",
      state: { output: "out of lost" },
    })
    const twice = sessionsOf([
      meta(),
      said("1"),
      call("a"),
      output("a", "x"),
      said("2"),
      call("a"),
      output("a", "y"),
    ])[0]
    expect(told(twice)).toEqual(["> 1", "< shell a completed x", "> 2", "< shell a completed y"])
  })
})
