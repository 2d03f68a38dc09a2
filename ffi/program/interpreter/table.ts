/** One instruction and its assembly, or a label. */
export type InterpreterRow<Code> = readonly [code: Code, assembly: string] | string;
