#!/bin/sh
# A test script of the old kind: it checks a few things and writes JUnit XML.
set -u
failures=0
cases=""
check() { # name, expected, actual
  if [ "$2" = "$3" ]; then
    cases="$cases<testcase classname=\"legacy\" name=\"$1\" time=\"0.001\"/>"
  else
    failures=$((failures + 1))
    cases="$cases<testcase classname=\"legacy\" name=\"$1\" time=\"0.001\"><failure message=\"expected $2, got $3\"/></testcase>"
  fi
}
check "sort puts numbers in order" "1 2 10" "$(printf '10\n2\n1\n' | sort -n | tr '\n' ' ' | sed 's/ $//')"
check "wc counts lines" "3" "$(printf 'a\nb\nc\n' | wc -l | tr -d ' ')"
check "sed replaces" "hello world" "$(echo 'hello there' | sed 's/there/world/')"
echo "<?xml version=\"1.0\" encoding=\"UTF-8\"?><testsuite name=\"legacy\" tests=\"3\" failures=\"$failures\">$cases</testsuite>" > report.xml
[ "$failures" -eq 0 ]
