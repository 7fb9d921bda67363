import Registry
import Testing

@Suite struct PlatformTests {
  @Test(
    "Platforms are read as containerd reads them",
    arguments: [
      ("linux/amd64", "linux/amd64"), ("linux/x86_64", "linux/amd64"), ("Linux/AMD64/v1", "linux/amd64"),
      ("linux/arm64/v8", "linux/arm64"), ("linux/aarch64/8", "linux/arm64"), ("linux/arm", "linux/arm"),
      ("linux/arm/v7", "linux/arm"), ("linux/arm/6", "linux/arm/v6"), ("linux/amd64/v3", "linux/amd64/v3"),
      ("linux", nil), ("linux/", nil), ("linux/arm/v7/x", nil), ("linux/a b", nil), ("", nil),
    ] as [(String, String?)])
  func parsing(text: String, expected: String?) {
    #expect((try? Platform(parsing: text))?.description == expected)
  }

  @Test(
    "A machine runs images of its variant and of lower ones, and prefers the nearest",
    arguments: [
      ("linux/arm64", ["linux/amd64", "linux/arm64/v8"], 1), ("linux/amd64", ["linux/amd64/v3"], nil),
      ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], 1),
      ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 1),
      ("linux/arm64", ["linux/arm/v7"], nil), ("linux/amd64", ["windows/amd64"], nil),
      ("linux/riscv64", ["linux/riscv64"], 0), ("linux/arm64/v9", ["linux/arm64", "linux/arm64/v8.2"], 1),
    ] as [(String, [String], Int?)])
  func fitness(machine: String, images: [String], best: Int?) throws {
    let machine = try Platform(parsing: machine)
    let fitting = try images.enumerated().compactMap { index, image in
      machine.fitness(of: try Platform(parsing: image)).map { (index, $0) }
    }
    #expect(fitting.max { $0.1 < $1.1 }?.0 == best)
  }
}
