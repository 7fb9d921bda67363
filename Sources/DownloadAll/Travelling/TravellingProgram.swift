import Bundle
import Cache
import Concurrency
import Console
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// `target-setup` as it goes into a bundle: the program, stripped, with its libraries and its loader, and a launcher
/// of a few lines. It expects nothing of the target but a shell and a kernel of that architecture.
struct TravellingProgram: Sendable {
  /// The program's name, and the launcher's.
  static let name = "target-setup"
  /// The file of a release that is both programs: `target-setup` where it is started under that name.
  static let nameOfBoth = "kubespray-offline"

  private let program: FilePath
  private let cache: Cache
  private let say: @Sendable (MessageLevel, String) -> Void

  /// - Parameters:
  ///   - program: The built program.
  ///   - cache: Where what is made is kept.
  ///   - say: Takes sentences for people.
  init(program: FilePath, cache: Cache, say: @escaping @Sendable (MessageLevel, String) -> Void) {
    self.program = program
    self.cache = cache
    self.say = say
  }

  /// The one that was built with the program that runs: it lies beside it.
  ///
  /// - Throws: ``TravellingProgramError`` when it is not there.
  static func ofThisBuild(
    cache: Cache, say: @escaping @Sendable (MessageLevel, String) -> Void
  ) throws(TravellingProgramError) -> TravellingProgram {
    // Started by a loader that it brought along, this program's file is that loader; the neighbour is the same.
    let folder = try Self.realPath("/proc/self/exe").removingLastComponent()
    return TravellingProgram(program: try program(in: folder), cache: cache, say: say)
  }

  /// The file of a folder of programs that is `target-setup` once it has that name.
  ///
  /// - Throws: ``TravellingProgramError`` when there is none.
  static func program(in folder: FilePath) throws(TravellingProgramError) -> FilePath {
    let places = [name, nameOfBoth].map { folder.appending($0) }
    guard let place = places.first(where: { FileInfo(regularFile: $0) != nil }) else {
      throw TravellingProgramError(path: places[0], reason: "there is no such program beside download-all")
    }
    return place
  }

  private static func realPath(_ path: FilePath) throws(TravellingProgramError) -> FilePath {
    do {
      return try Files.realPath(path)
    } catch {
      throw TravellingProgramError(path: path, reason: "\(error.code)")
    }
  }

  /// The launcher and `lib/`.
  ///
  /// - Throws: ``TravellingProgramError``, ``Host/CommandError`` or `Errno`.
  func artifacts() async throws -> [Artifact] {
    let elf = try await ELFProgram(program)
    let folder = try await prepare(elf)
    var artifacts = try (elf.libraries.map(\.name) + [elf.loaderName, Self.name]).map { name in
      Artifact(
        path: try BundlePath("lib/\(name)"),
        source: .local(folder.appending("lib").appending(name), origin: nil),
        stage: .scripts, verification: .local)
    }
    artifacts.append(
      Artifact(
        path: try BundlePath(Self.name),
        source: .generated(Array(Self.launcher(loader: elf.loaderName).utf8)),
        stage: .scripts, verification: .generated))
    for index in artifacts.indices
    where ["\(Self.name)", "lib/\(Self.name)", "lib/\(elf.loaderName)"].contains("\(artifacts[index].path)") {
      artifacts[index].isExecutable = true
    }
    return artifacts
  }

  /// A root that holds nothing but `lib/`, made once for what it is made of, and proved to work.
  private func prepare(_ elf: ELFProgram) async throws -> FilePath {
    let files = [elf.path, elf.loader] + elf.libraries.map(\.path)
    var key = CacheKey([:])
    for file in files {
      let resolved = try Self.realPath(file)
      let status = FileInfo(regularFile: resolved)
      key.add(resolved.string, "\(status?.size ?? 0) \(status?.modified ?? 0)")
    }
    return try await cache.entry(.travelling, "\(key)") { folder in
      try await offload { () throws in
        let library = folder.appending("lib")
        try createDirectories(library)
        for item in elf.libraries { _ = try copyDurably(item.path, to: library.appending(item.name)) }
        _ = try copyDurably(elf.loader, to: library.appending(elf.loaderName))
        _ = try copyDurably(elf.path, to: library.appending(Self.name))
        for name in [elf.loaderName, Self.name] {
          try setPermissions(.program, of: library.appending(name))
        }
      }
      await strip(folder.appending("lib").appending(Self.name))
      try await prove(folder, elf)
    }
  }

  /// Takes the symbols out, two thirds of the program; without the tool it travels as it is.
  private func strip(_ file: FilePath) async {
    let result = try? await Command("strip", ["--strip-all", file.string]).run()
    guard result?.status != 0 else { return }
    say(
      .info,
      "\(Self.name) goes into the bundle with its symbols, as \"strip\" (package binutils) is not there or fails"
    )
  }

  /// Runs it in a root that has nothing else, where this user may make one.
  private func prove(_ folder: FilePath, _ elf: ELFProgram) async throws {
    let inRoot = [
      "/lib/\(elf.loaderName)", "--inhibit-cache", "--library-path", "/lib", "/lib/\(Self.name)", "--version",
    ]
    // Every target has a /proc, and Swift's runtime takes the arguments from there.
    try createDirectories(folder.appending("proc"))
    let root = ["--mount", "--pid", "--fork", "--root", folder.string, "--mount-proc"] + inRoot
    let ways = [Command("unshare", root), Command("unshare", ["--user", "--map-root-user"] + root)]
    var lastWords = ""
    for way in ways where await isAllowed(way, folder, elf) {
      let result = try await way.run()
      if result.status == 0,
        result.standardOutput.split(whereSeparator: \.isNewline).first == Substring(programVersion)
      {
        return
      }
      lastWords = result.standardError + result.standardOutput
      throw TravellingProgramError(
        path: program,
        reason:
          "it does not run in an empty root: \(lastWords.split(whereSeparator: \.isNewline).last ?? "it said nothing")"
      )
    }
    say(.info, "\(Self.name) was not tried in an empty root: this user may not make one here")
  }

  /// Whether this user may change the root at all: the loader alone is asked for its help.
  private func isAllowed(_ way: Command, _ folder: FilePath, _ elf: ELFProgram) async -> Bool {
    guard let index = way.arguments.firstIndex(of: "/lib/\(elf.loaderName)") else { return false }
    let trial = Command(way.executable, way.arguments[...index] + ["--list", "/lib/\(elf.loaderName)"])
    guard let result = try? await trial.run() else { return false }
    // The tools answer with 125 to 127 when they cannot even start it, and unshare with 1.
    let text = result.standardError
    return !text.hasPrefix("unshare:")
  }
}

extension ELFProgram {
  /// The name under which the loader goes along.
  var loaderName: String { loader.lastComponent?.string ?? "ld.so" }
}

/// `target-setup` cannot be made ready for its journey.
struct TravellingProgramError: Error, CustomStringConvertible, Equatable {
  let path: FilePath
  let reason: String

  var description: String { "\(path): \(reason)" }
}
