/// A line of an allowed signers file that cannot be used.
public struct AllowedSignersError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Error, Hashable, Sendable {
    /// The file has more than 1 MiB.
    case tooLong
    /// Principals or options have control characters or are not UTF-8, or the line has a NUL byte.
    case notText
    /// A quotation mark has no counterpart, or stands inside a word.
    case quotation
    /// A pattern has more than 1022 bytes; OpenSSH would never match it.
    case longPattern
    /// Nothing follows the principals or the options.
    case missingKey
    /// The key cannot be used.
    case key(SSHError)
    /// The line is for a certificate authority; certificates are not supported.
    case certificateAuthority
    /// No such option exists; the name is what was written.
    case unknownOption(String)
    /// The option's value does not stand in quotation marks.
    case unquotedValue(option: String)
    /// The option is there twice.
    case repeatedOption(String)
    /// The value is not a time.
    case badTime(option: String, value: String)
    /// The key's time ends before it begins.
    case emptyPeriod
  }

  /// The number of the line, from 1; nil for the file as such.
  public let line: Int?
  /// What is wrong.
  public let reason: Reason

  /// A sentence for people.
  public var description: String { (line.map { "line \($0): " } ?? "") + reason.description }
}

extension AllowedSignersError.Reason: CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    switch self {
    case .tooLong: "the file is longer than \(AllowedSigners.limit) bytes"
    case .notText: "it has control characters or is not UTF-8"
    case .quotation: "a quotation mark is missing or stands inside a word"
    case .longPattern: "a pattern is longer than \(PatternList.longestPattern) bytes"
    case .missingKey: "the key is missing"
    case .key(let error): "the key cannot be used: \(error)"
    case .certificateAuthority:
      "certificate authorities are not supported; name the signer's own key without \"cert-authority\""
    case .unknownOption(let name): "the option \"\(name)\" is not known"
    case .unquotedValue(let option): "the value of \"\(option)\" must be in quotation marks"
    case .repeatedOption(let option): "\"\(option)\" is there twice"
    case .badTime(let option, let value):
      "\"\(value)\" of \"\(option)\" is not a time such as 20260131Z or 202601311200Z"
    case .emptyPeriod: "\"valid-before\" is not later than \"valid-after\""
    }
  }
}
