import { Component, type ReactNode } from "react";
import { PlainText } from "./PlainText";

type Props = { text: string; children: ReactNode };
type State = { text: string; hasFailed: boolean };

/** Shows the plain text if rendering its Markdown fails. When the text changes, as in a stream, it tries again. */
export class PlainTextBoundary extends Component<Props, State> {
  override state: State = { text: this.props.text, hasFailed: false };

  static getDerivedStateFromProps({ text }: Props, state: State): State | null {
    return text === state.text ? null : { text, hasFailed: false };
  }

  static getDerivedStateFromError(): Partial<State> {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    return this.state.hasFailed ? <PlainText text={this.props.text} /> : this.props.children;
  }
}
