import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// What programs of this machine have answered, so that they need not be started again for the same answer.
///
/// An answer holds while the question, the variables and every file that it depends on are the same. A memory that is
/// damaged or cannot be written is as good as none. Several runs may share one: an answer is a file, replaced at once.
public struct ProgramMemory: Sendable {
  /// An answer, and the files and folders that it depends on beside the program.
  public struct Answer: Sendable {
    /// What was answered.
    public let text: String
    /// Adding or removing something in a folder changes it.
    public let dependencies: [FilePath]

    /// Makes an answer.
    public init(_ text: String, dependingOn dependencies: [FilePath] = []) {
      self.text = text
      self.dependencies = dependencies
    }
  }

  private struct Record: Codable {
    var format = ProgramMemory.format
    let question: String
    let stamps: [String: String]
    let answer: String
  }

  /// Counts up when records mean something else.
  private static let format = 1

  private let folder: FilePath

  /// A memory in a folder, which need not exist.
  public init(folder: FilePath) { self.folder = folder }

  /// The answer of a program: the remembered one if it holds, else the one that `ask` gives.
  ///
  /// - Parameters:
  ///   - program: The program that is asked.
  ///   - topic: A word for the kind of question.
  ///   - question: All that is asked; of it only a digest is written down.
  ///   - variables: The beginnings of the names of those variables that the answer depends on.
  ///   - ask: Gives the answer; `nil` for one that is not to be remembered.
  public func answer<Failure>(
    of program: FilePath, topic: String, question: String, variables: [String],
    ask: () async throws(Failure) -> Answer?
  ) async throws(Failure) -> Answer? {
    guard let wrapped = ProgramWrapper.dependencies(of: program) else { return try await ask() }
    let variables = ProcessInfo.processInfo.environment.filter { name, _ in
      (variables + ProgramWrapper.variables).contains(where: name.hasPrefix)
    }
    let texts = [question] + variables.map { "\($0)=\($1)" }.sorted()
    let key = Digest(of: Array(texts.joined(separator: "\0").utf8)).hex
    let name = program.string.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
    let file = folder.appending("\(topic)\(String(decoding: name, as: UTF8.self).suffix(180)).json")
    if let known = read(file), known.question == key, known.stamps.allSatisfy({ Self.stamp($0) == $1 }) {
      return Answer(known.answer)
    }
    var stamps = Self.stamps([program] + wrapped)
    guard let answer = try await ask() else { return nil }
    stamps.merge(Self.stamps(answer.dependencies)) { before, _ in before }
    write(Record(question: key, stamps: stamps, answer: answer.text), to: file)
    return answer
  }

  /// Whether a program stands for another one, and it is known what decides for which.
  public static func isShim(_ program: FilePath) -> Bool {
    ProgramWrapper.dependencies(of: program)?.isEmpty == false
  }

  private func read(_ file: FilePath) -> Record? {
    guard let bytes = try? readBytes(file),
      let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)), record.format == Self.format
    else { return nil }
    return record
  }

  private func write(_ record: Record, to file: FilePath) {
    guard let data = try? JSONEncoder().encode(record), (try? createDirectories(folder)) != nil else {
      return
    }
    try? writeAtomically(Array(data), to: file, isDurable: false)
  }

  private static func stamps(_ paths: [FilePath]) -> [String: String] {
    Dictionary(paths.map { ($0.string, stamp($0.string)) }) { first, _ in first }
  }

  /// What changes when a file is replaced or written, or when a folder gets or loses an entry.
  private static func stamp(_ path: String) -> String {
    guard let info = try? FileInfo(FilePath(path), followsLinks: true) else { return "missing" }
    return "\(info.device) \(info.inode) \(info.size) \(info.modified)"
  }
}

/// A program that stands for another one: which one it starts can change while it stays the same.
enum ProgramWrapper {
  /// The beginnings of the variables that decide which program is started.
  static let variables = ["PYENV_"]

  /// The files and folders that decide which program is started, none for one that is not a script.
  ///
  /// - Returns: `nil` for a script of which that is not known.
  static func dependencies(of program: FilePath) -> [FilePath]? {
    guard let start = try? readBeginning(program, count: 4096), start.starts(with: Array("#!".utf8)) else {
      return []
    }
    // A shim of pyenv: ROOT/shims/NAME (pyenv, README, "Understanding Python version selection").
    let folder = program.removingLastComponent()
    guard folder.lastComponent == "shims", String(decoding: start, as: UTF8.self).contains("pyenv"),
      ProcessInfo.processInfo.environment["PYENV_DIR"] == nil
    else { return nil }
    let root = folder.removingLastComponent()
    var choices = [root.appending("version"), root.appending("versions")]
    guard var place = try? currentFolder() else { return nil }
    repeat { choices.append(place.appending(".python-version")) } while place.removeLastComponent()
    return choices
  }
}
