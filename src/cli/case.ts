// Stands in for citty's conversions between camelCase and kebab-case in the compiled binary: they take 1.3 ms for the
// global options alone. Options are named in kebab-case throughout, and a name as it is never needs another.

function same(name: string): string {
  return name;
}

// The names under which citty's chunk exports kebabCase, snakeCase and camelCase.
export { same as n, same as r, same as t };
