import { expect, test } from "bun:test";
import { medianError, quantile, summarize } from "./statistics.ts";

test("quartiles of an odd number of samples are samples", () => {
  expect(summarize([5, 1, 4, 2, 3])).toEqual({ count: 5, lower: 2, median: 3, upper: 4 });
});

test("quartiles of an even number of samples lie between them", () => {
  expect(summarize([4, 1, 3, 2])).toEqual({ count: 4, lower: 1.75, median: 2.5, upper: 3.25 });
});

test("numbers are ordered as numbers", () => {
  expect(summarize([100, 9, 20]).median).toBe(20);
});

test("one sample is all three quartiles", () => {
  expect(summarize([7])).toEqual({ count: 1, lower: 7, median: 7, upper: 7 });
});

test("the ends are the least and the greatest", () => {
  expect([quantile([1, 2, 9], 0), quantile([1, 2, 9], 1)]).toEqual([1, 9]);
});

test("nothing has no median", () => {
  expect(() => summarize([])).toThrow("no samples");
});

test("the samples stay as they are", () => {
  const samples = [3, 1, 2];
  summarize(samples);
  expect(samples).toEqual([3, 1, 2]);
});

test("a median's error is that of a normal distribution's", () => {
  // Quartiles 1.349 apart: a standard deviation of 1, and 1.253 of it by the root of the count.
  expect(medianError({ count: 100, lower: 0, median: 0.7, upper: 1.349 })).toBeCloseTo(0.1253);
  expect(medianError(summarize([7]))).toBe(0);
});
