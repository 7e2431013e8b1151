export function ArchivePage() {
  return <div className="page" />;
}
