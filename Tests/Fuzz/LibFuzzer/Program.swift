import Glibc

/// The reader that the environment names.
private let reader: Reader = {
  let name = getenv("FUZZ_READER").map { String(cString: $0) } ?? ""
  guard let reader = Reader.all.first(where: { $0.name == name }) else {
    fatalError("FUZZ_READER is one of \(Reader.all.map(\.name).joined(separator: " "))")
  }
  return reader
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
func readInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try reader.run(Array(UnsafeBufferPointer(start: start, count: count)))
  } catch {
    fatalError("\(reader.name): \(error)")
  }
  return 0
}
