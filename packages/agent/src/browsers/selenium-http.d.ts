// The types of selenium-webdriver describe its folder `http` by a name that Node cannot import.
declare module 'selenium-webdriver/http/index.js' {
  export { Executor } from 'selenium-webdriver/http';
}
