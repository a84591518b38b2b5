/**
 * The protocol steps of the file source and the file sink: the closed list of names under which they call the disk.
 *
 * The simulator and the chaos runner crash, fail, drop and swap calls by these names. Calls that only look (`stat`,
 * `list`, `size`) and `close` have none.
 */

/** The steps of the file sink, in the order in which a part goes through them. */
export const FILE_SINK_STEPS = [
  /** Makes the lowest directory durable that is there, which an earlier process may have made before it died. */
  "sink.open.sync-existing",
  /** Makes the target directory, or one above it. */
  "sink.open.make-directory",
  /** Makes the entry of a directory that was just made durable. */
  "sink.open.sync-parent",
  /** `--reset`: makes durable what an earlier reset has set aside that may have died before it could. */
  "sink.reset.sync-earlier",
  /** `--reset`: makes the directory that takes what is set aside. */
  "sink.reset.make-directory",
  /** `--reset`: makes the entry of that directory durable. */
  "sink.reset.sync-parent",
  /** `--reset`: sets a part aside. */
  "sink.reset.rename",
  /** `--reset`: makes the parts' new entries durable. */
  "sink.reset.sync-superseded",
  /** `--reset`: makes it durable that the parts are gone from the target directory. */
  "sink.reset.sync-directory",
  /** Makes the marker that says whose output the target directory holds. */
  "sink.claim.create",
  /** Removes the marker of who had it before. */
  "sink.claim.remove",
  /** Makes both durable. */
  "sink.claim.sync-directory",
  /** Makes the in-progress file of a new part. */
  "sink.create",
  /** Makes its entry durable, so that its absence will mean that it was published. */
  "sink.create.sync-directory",
  /** Moves rows from memory to the in-progress file within an epoch. */
  "sink.flush.write",
  /** Writes an epoch's last rows to the in-progress file, where they are too many for the commit record. */
  "sink.stage.write",
  /** Makes an epoch's rows in the in-progress file durable, before the commit record. */
  "sink.stage.sync",
  /** Writes rows that the commit record carries to the in-progress file. */
  "sink.apply.write",
  /** Reads what the blocks of a complete part say of themselves, for what stands at its end. */
  "sink.publish.read",
  /** Writes what stands at the end of a complete part. */
  "sink.publish.write",
  /** Cuts off what an uncommitted epoch left in a part, behind its committed length. */
  "sink.publish.truncate",
  /** Makes a complete part durable under its in-progress name. */
  "sink.publish.sync",
  /** Gives a complete part its published name. */
  "sink.publish.rename",
  /** Makes the published name durable. */
  "sink.publish.sync-directory",
  /** Makes the marker of a directory whose rows are all there. */
  "sink.mark.create",
  /** Makes the marker's entry durable. */
  "sink.mark.sync-directory",
  /** Makes rows durable that were applied, so that their commit records may go. */
  "sink.checkpoint.sync",
  /** Opens the in-progress file of a part that commit records name. */
  "sink.recover.open",
  /** Makes durable that a part has its published name, where an earlier process gave it and may not have come so far. */
  "sink.recover.sync-directory",
  /** Writes rows of commit records again. */
  "sink.recover.write",
  /** As `sink.publish.*`, for a part that an earlier process has committed and not published. */
  "sink.republish.read",
  "sink.republish.write",
  "sink.republish.truncate",
  "sink.republish.sync",
  "sink.republish.rename",
  "sink.republish.sync-directory",
  /** Removes the in-progress file of a part of which nothing is committed. */
  "sink.recover.remove",
] as const

/** A protocol step of the file sink. */
export type FileSinkStep = (typeof FILE_SINK_STEPS)[number]

/** The steps of the file source. */
export const FILE_SOURCE_STEPS = [
  /** Opens a file to take its fingerprint. */
  "source.list.open",
  /** Reads the head of a file for its fingerprint. */
  "source.list.read",
  /** Reads the end of a container: for its fingerprint, and how many records it has. */
  "source.list.read-footer",
  /** Opens a partition's file. */
  "source.open",
  /** Reads the head of a file, to know it again and for its header. */
  "source.open.read-head",
  /** Reads the end of a container, to know it again and for where its records lie. */
  "source.open.read-footer",
  /** Reads the bytes before a position, to see that a record ended there. */
  "source.open.read-boundary",
  /** Reads records. */
  "source.read",
] as const

/** A protocol step of the file source. */
export type FileSourceStep = (typeof FILE_SOURCE_STEPS)[number]

/** The steps of following files, beside those of reading. The simulator has no world outside of the job that would write to files. */
export type FollowStep =
  /** Opens a file that is followed. */
  | "source.follow.open"
  /** Reads the head of a file that is followed, to know it again and for its header. */
  | "source.follow.read-head"
