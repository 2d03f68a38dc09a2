import { expect, test } from "bun:test";
import { renderTable } from "./list.ts";

test("the columns are runc's", () => {
  const table = renderTable([
    {
      ociVersion: "1.3.0",
      id: "c",
      pid: 42,
      status: "running",
      bundle: "/some/where/long",
      rootfs: "/some/where/long/rootfs",
      created: "2026-01-02T03:04:05.000000006Z",
      owner: "root",
    },
  ]);
  expect(table.split("\n")).toEqual([
    "ID          PID         STATUS      BUNDLE             CREATED                          OWNER",
    "c           42          running     /some/where/long   2026-01-02T03:04:05.000000006Z   root",
    "",
  ]);
  expect(renderTable([])).toBe("ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
});
