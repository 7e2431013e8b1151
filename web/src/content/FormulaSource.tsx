/** The source of a formula: while KaTeX is loading, while the formula is streaming, or if it has an error. */
export function FormulaSource({ source }: { source: string }) {
  return (
    <code className="formula-source" dir="ltr">
      {source}
    </code>
  );
}
