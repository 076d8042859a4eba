// pytest's node ids: `file.py::Class::test[parameter]`.

/** The file and the titles of a node id. A parameter may itself hold `::`, and belongs to the last title. */
export function nodePath(nodeId: string): { target: string; path: string[] } {
  const bracket = nodeId.indexOf('[');
  const plain = bracket < 0 ? nodeId : nodeId.slice(0, bracket);
  const [target = '', ...titles] = plain.split('::');
  if (titles.length === 0) return { target, path: [nodeId] };
  titles.push(`${titles.pop() ?? ''}${bracket < 0 ? '' : nodeId.slice(bracket)}`);
  return { target, path: titles };
}
