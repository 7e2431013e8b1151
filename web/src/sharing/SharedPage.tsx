export function SharedPage() {
  return <div className="page" />;
}
