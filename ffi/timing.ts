// BUNC_TIMING=1: how long each stage of a command took. Costs one look at the environment when it is not set.

interface Moment {
  readonly stage: string;
  /** Milliseconds since the engine's main function began. */
  readonly wall: number;
  /** Milliseconds of processor time of all threads since the process began. */
  readonly processor: number;
}

const moments: Moment[] | undefined = process.env.BUNC_TIMING ? [] : undefined;

/** Whether BUNC_TIMING is set. */
export const isTimed = moments !== undefined;

/** Notes that a stage of the command has ended here: everything since the one before belongs to it. */
export function endStage(stage: string): void {
  if (!moments) return;
  const { user, system } = process.cpuUsage();
  moments.push({ stage, wall: performance.now(), processor: (user + system) / 1000 });
}

/** The table of the stages, a line each, ready to be printed. */
export function renderStages(): string {
  const lines = [" wall ms   CPU ms  stage"];
  let before = { wall: 0, processor: 0 };
  for (const moment of moments ?? []) {
    lines.push(renderRow(moment.stage, moment.wall - before.wall, moment.processor - before.processor));
    before = moment;
  }
  lines.push(renderRow("in all", before.wall, before.processor), "");
  return lines.join("\n");
}

function renderRow(stage: string, wall: number, processor: number): string {
  return `${wall.toFixed(2).padStart(8)} ${processor.toFixed(2).padStart(8)}  ${stage}`;
}
