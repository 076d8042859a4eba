// One chart: drawn by ECharts, which is loaded when the first is shown; its table for those who do not see it, and its export.
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef, useState } from 'react';

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  CanvasRenderer,
  SVGRenderer,
]);

export type Option = Record<string, unknown>;
export type Colours = Record<'text' | 'muted' | 'line' | 'good' | 'bad' | 'warn' | 'busy' | 'calm' | 'surface', string>;
type Cell = string | number;

export function Chart(props: {
  name: string;
  option: (colours: Colours) => Option;
  heightPx: number;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}) {
  const { name, option, heightPx, columns, rows } = props;
  const { place, chart } = useDrawn(option);
  return (
    <figure>
      <div
        ref={place}
        style={{ height: heightPx }}
        role="img"
        aria-label={`${name}. The table below has its numbers.`}
      />
      <figcaption className="actions">
        <button
          type="button"
          className="quiet"
          onClick={() =>
            save(`${name}.png`, chart.current?.getDataURL({ pixelRatio: 2, backgroundColor: coloursNow().surface }))
          }
        >
          PNG
        </button>
        <button
          type="button"
          className="quiet"
          onClick={() => save(`${name}.svg`, svgOf(option, place.current?.clientWidth ?? 800, heightPx))}
        >
          SVG
        </button>
        <button type="button" className="quiet" onClick={() => save(`${name}.csv`, csvOf(columns, rows))}>
          CSV
        </button>
      </figcaption>
      <DataTable name={name} columns={columns} rows={rows} />
    </figure>
  );
}

/** The chart in its place, drawn again when its option or the theme changes. */
function useDrawn(option: (colours: Colours) => Option) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [themeChanges, setThemeChanges] = useState(0);
  useEffect(() => {
    if (place.current === null) return undefined;
    const drawn = init(place.current, undefined, { renderer: 'canvas' });
    chart.current = drawn;
    const sizes = new ResizeObserver(() => drawn.resize());
    sizes.observe(place.current);
    const changed = (): void => setThemeChanges((number) => number + 1);
    const themes = new MutationObserver(changed);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    return () => {
      sizes.disconnect();
      themes.disconnect();
      system.removeEventListener('change', changed);
      drawn.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(themed(option(coloursNow())), { notMerge: true, lazyUpdate: true });
  }, [option, themeChanges]);
  return { place, chart };
}

function DataTable(props: { name: string; columns: readonly string[]; rows: readonly (readonly Cell[])[] }) {
  const { name, columns, rows } = props;
  return (
    <details>
      <summary>Table</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label={`Table of ${name}`}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, 1_000).map((row, index) => (
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={columns[at]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of('text'),
    muted: of('muted'),
    line: of('line'),
    good: of('good'),
    bad: of('bad'),
    warn: of('warn'),
    busy: of('busy'),
    calm: of('calm'),
    surface: of('surface'),
  };
}

function themed(option: Option): Option {
  const { text, muted, line } = coloursNow();
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const axis = (own: unknown): unknown => ({
    ...(own as object),
    axisLabel: { color: muted, ...(own as { axisLabel?: object }).axisLabel },
    axisLine: { lineStyle: { color: line } },
    splitLine: { lineStyle: { color: line } },
  });
  return {
    ...option,
    animation: !isStill && option.animation !== false,
    textStyle: { color: text },
    ...(option.xAxis === undefined ? {} : { xAxis: axis(option.xAxis) }),
    ...(option.yAxis === undefined ? {} : { yAxis: axis(option.yAxis) }),
  };
}

function svgOf(option: (colours: Colours) => Option, width: number, height: number): string {
  const drawn = init(null, undefined, { renderer: 'svg', ssr: true, width, height });
  drawn.setOption(themed({ ...option(coloursNow()), animation: false }));
  const text = drawn.renderToSVGString();
  drawn.dispose();
  return URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
}

function csvOf(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  // A cell that a spreadsheet would take for a formula is text.
  const cell = (value: Cell): string => {
    const text = typeof value === 'string' && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows].map((row) => row.map(cell).join(','));
  return URL.createObjectURL(new Blob([`${lines.join('\r\n')}\r\n`], { type: 'text/csv' }));
}

function save(name: string, url: string | undefined): void {
  if (url === undefined) return;
  const link = document.createElement('a');
  link.href = url;
  link.download = name.toLowerCase().replaceAll(' ', '-');
  link.click();
  if (url.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
