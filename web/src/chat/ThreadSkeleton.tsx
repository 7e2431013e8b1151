const WIDTHS = ["60%", "92%", "78%", "35%", "88%", "70%"];

export function SkeletonRows() {
  return (
    <div className="thread-skeleton" aria-hidden="true">
      {WIDTHS.map((width, index) => (
        <span key={width} className="skeleton" data-side={index % 3 ? "start" : "end"} style={{ inlineSize: width }} />
      ))}
    </div>
  );
}

export function ThreadSkeleton() {
  return (
    <div className="chat">
      <header className="chat-header" />
      <div className="thread">
        <div className="thread-column">
          <SkeletonRows />
        </div>
      </div>
    </div>
  );
}
