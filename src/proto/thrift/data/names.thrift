// What the captures beside it call, with names.
namespace py names
include "other.thrift"

typedef i32 Number
const map<string, i32> LIMITS = {"a": 1, 'b': 2}
enum Kind { ONE = 1, TWO } (note = "x")

/* The value of collections() */
struct Answer {
  1: required Number code = 5,
  2: optional string text (max = "300"),
}
exception Trouble { 1: i32 what; 2: string why }

service Base { void ping() }

service Calculator extends Base {
  i32 add(1: i32 left, 2: Number right),
  bool echo_all(1: bool flag, 2: i8 small, 3: i16 short, 4: i64 long, 5: double real,
                6: string text, 20: binary bytes),
  Answer collections(1: list<i32> numbers, 2: set<string> words, 3: map<string, i64> counts,
                     4: list<bool> flags, 5: map<i32, i32> none, 6: list<Answer> answers)
  i32 divide(1: i32 by, 2: i32 what) throws (1: Trouble trouble) (slow = "yes")
  oneway void log(1: string line)
}
service shop { list<other.Item> find(1: string name) }
