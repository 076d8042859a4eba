// The door for those who check or explain requirements without a coordinator: the command line's `assay requires` and `assay run`.
export {
  checkRequirement,
  deviceLines,
  deviceRows,
  fieldRows,
  satisfiersOf,
  unitRows,
  type FieldRow,
  type Offered,
  type Satisfiers,
  type UnitRow,
} from '@assay/core';
