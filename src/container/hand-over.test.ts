import { expect, test } from "bun:test";
import { renderProcessState } from "./hand-over.ts";

const record = { id: "c", pid: 12, bundle: "/b", annotations: { a: "b" } };

test("an agent is told of the process, and of the container that it is in", () => {
  const text = renderProcessState("m", { record, status: "running", pid: 34 });
  expect(JSON.parse(text)).toEqual({
    ociVersion: "1.3.0",
    fds: ["seccompFd"],
    pid: 34,
    metadata: "m",
    state: {
      ociVersion: "1.3.0",
      id: "c",
      status: "running",
      pid: 12,
      bundle: "/b",
      annotations: { a: "b" },
    },
  });
});

test("without metadata there is none", () => {
  const text = renderProcessState("", { record, status: "created", pid: 12 });
  expect(JSON.parse(text)).not.toHaveProperty("metadata");
});
