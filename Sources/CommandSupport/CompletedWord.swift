/// A place in a list, as a type: commands are types, and the words that can be typed in place of a command are a list.
public protocol WordPlace {
  /// The place, counted from 0.
  static var number: Int { get }
}

/// The first place.
public enum FirstWord: WordPlace {
  /// 0.
  public static var number: Int { 0 }
}

/// The place behind another one.
public enum WordAfter<Place: WordPlace>: WordPlace {
  /// One more than that of the other.
  public static var number: Int { Place.number + 1 }
}
