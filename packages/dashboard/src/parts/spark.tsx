// A small column chart without a library: figures of now beside their number. Its table is the number and its label.
export function Spark({ values, label }: { values: readonly number[]; label: string }) {
  const most = Math.max(1, ...values);
  const width = 100 / Math.max(1, values.length);
  return (
    <svg
      className="spark"
      role="img"
      aria-label={`${label}; most ${most}`}
      viewBox="0 0 100 24"
      preserveAspectRatio="none"
    >
      {values.map((value, index) =>
        value === 0 ? null : (
          <rect
            key={index}
            x={index * width}
            width={width * 0.8}
            y={24 - (value / most) * 23}
            height={(value / most) * 23}
          />
        ),
      )}
    </svg>
  );
}
